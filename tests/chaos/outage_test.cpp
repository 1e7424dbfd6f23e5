// A server that is away for a while, or there but not ready.
#include "chaos/gated.hpp"

#include <corbel/redis_monitor.hpp>

#include <fmt/format.h>

#include <atomic>
#include <thread>

using namespace corbel;
using namespace corbel::test;
using steady = std::chrono::steady_clock;

namespace {

void outage(std::chrono::milliseconds length) {
  redis_server server({.append_only = true});
  auto descriptors = open_descriptors();
  {
    runtime rt;
    redis_pool pool(rt, {.url = server.url()});
    redis_subscription sub(pool);
    subscribe(sub, "channel").value();
    subscription_reader reader(std::move(sub));
    callers crowd(pool, 200, 20, {.timeout = 30s});
    REQUIRE(until(patience, [&] { return crowd.ok() > 2000; }));

    server.kill();
    REQUIRE(reader.wait_for([](auto &n) { return n.type == notice_kind::gap; }));
    REQUIRE(until(patience, [&] { return pool.stats().open == 0; }));
    std::vector<std::future<result<redis_reply>>> during;
    for (int i = 0; i < 500; ++i)
      during.push_back(pool.async_send(redis_command("INCR", "n"), {.timeout = 30s}, boost::asio::use_future));
    auto hopeless = ask(pool, redis_command("PING"), {.timeout = 100ms}).error();
    CHECK(hopeless.is(status::unavailable));
    std::this_thread::sleep_for(length);

    server.spawn();
    auto pong = server.wait_ready();
    for (auto &f : during) CHECK(come(std::move(f)));
    auto back = reader.wait_for([](auto &n) { return n.type == notice_kind::resubscribed; });
    REQUIRE(back);
    fmt::print("outage {} ms: subscription back {:.1f} ms after PONG\n", length.count(),
               std::chrono::duration<double, std::milli>(back->when - pong).count());
    CHECK(server.command({"GET", "n"}).text == "500");
    CHECK(server.command({"PUBLISH", "channel", "after"}).number == 1);
    CHECK(reader.wait_for_payload("after"));

    REQUIRE(crowd.stop(patience));
    auto r = crowd.report();
    check_exactly_once(r);
    CHECK(r.ok + failed_with(r, {status::lost}) == r.completed);
    CHECK(failed_with(r, {status::lost}) <= 200);  // each caller has one call out at a time
  }
  CHECK(until(20s, [&] { return open_descriptors() <= descriptors; }));
}

}  // namespace

TEST_CASE("1.6 s without a server: what was not sent is kept, what was sent is LOST once") { outage(1600ms); }

TEST_CASE("7 s without a server") { outage(7s); }

TEST_CASE("a server that is still loading its data is not up") {
  redis_server server({.arguments = {"--key-load-delay", "500", "--loading-process-events-interval-bytes", "1024"}});
  server.command({"EVAL", "for i=1,3000 do redis.call('SET', 'key:'..i, string.rep('x', 100)) end", "0"});
  server.command({"SAVE"});
  runtime rt;
  redis_pool pool(rt, {.url = server.url()});
  redis_subscription sub(pool);
  subscribe(sub, "channel").value();
  subscription_reader reader(std::move(sub));
  redis_monitor monitor(pool);
  std::atomic<steady::rep> up_again = 0;
  monitor.listen([&](const redis_state_change &c) {
    steady::rep none = 0;
    if (c.state == redis_state::up && c.epoch >= 2)
      up_again.compare_exchange_strong(none, steady::now().time_since_epoch().count());
  });
  REQUIRE(until(patience, [&] { return monitor.state() == redis_state::up; }));

  server.kill();
  auto asked = steady::now();
  server.spawn();
  auto read =
      pool.async_send(redis_command("GET", "key:3000"), {.timeout = 30s, .idempotent = true}, boost::asio::use_future);
  auto pong = server.wait_ready();
  CHECK(pong - asked > 1s);  // it did load for a while
  auto r = come(std::move(read));
  if (!r) {
    INFO(said(r.error()));
    CHECK(r.error().native() == "LOADING");
    CHECK(r.error().may_retry());
  }
  REQUIRE(until(patience, [&] { return up_again != 0; }));
  auto up = steady::time_point(steady::duration(up_again));
  CHECK(up > pong - 200ms);  // the probe, too, needs a moment
  REQUIRE(reader.wait_for([](auto &n) { return n.type == notice_kind::resubscribed; }));
  CHECK(ask(pool, redis_command("GET", "key:3000"), {.timeout = 20s}).value()->text().size() == 100);
}
