// Leases: a whole connection for one caller.
#include "support/redis_calls.hpp"
#include "support/redis_server.hpp"
#include "support/until.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <doctest/doctest.h>

#include <mutex>
#include <optional>
#include <regex>

using namespace corbel;
using namespace corbel::test;

namespace {

struct fixture {
  redis_server server;
  runtime rt;
  redis_pool pool{rt, {.url = server.url()}};
  std::int64_t id(redis_lease &l) { return ask(l, redis_command("CLIENT", "ID")).value()->integer(); }
  /// The connection of a lease that did `use` and was given back: the same as the next lease's?
  template <class Use>
  bool used_again(Use use) {
    auto first = take(pool).value();
    auto before = id(first);
    use(first);
    first.release();
    auto second = take(pool).value();
    return id(second) == before;
  }
};

std::vector<int> numbers_in(const std::string &text) {
  std::vector<int> all;
  std::regex digits("[0-9]+");
  for (std::sregex_iterator i(text.begin(), text.end(), digits), end; i != end; ++i) all.push_back(std::stoi(i->str()));
  return all;
}

}  // namespace

TEST_CASE_FIXTURE(fixture, "MULTI and EXEC") {
  auto lease = take(pool).value();
  CHECK(text(ask(lease, redis_command("MULTI"))) == "OK");
  CHECK(text(ask(lease, redis_command("INCR", "a"))) == "QUEUED");
  CHECK(text(ask(lease, redis_command("INCR", "a"))) == "QUEUED");
  auto r = ask(lease, redis_command("EXEC"));
  REQUIRE(r);
  CHECK(r->root().size() == 2);
  CHECK(r->root()[1].integer() == 2);
  CHECK(server.command({"GET", "a"}).text == "2");
}

TEST_CASE_FIXTURE(fixture, "WATCH sees a change by another") {
  auto lease = take(pool).value();
  CHECK(text(ask(lease, redis_command("WATCH", "a"))) == "OK");
  CHECK(text(ask(pool, redis_command("SET", "a", "theirs"))) == "OK");
  CHECK(text(ask(lease, redis_command("MULTI"))) == "OK");
  CHECK(text(ask(lease, redis_command("SET", "a", "ours"))) == "QUEUED");
  CHECK(ask(lease, redis_command("EXEC")).value()->is_nil());
  CHECK(server.command({"GET", "a"}).text == "theirs");
}

TEST_CASE_FIXTURE(fixture, "BLPOP waits on a lease while others work") {
  auto lease = take(pool).value();
  auto popped = lease.async_send(redis_command("BLPOP", "list", 0), {.timeout = 20s}, boost::asio::use_future);
  REQUIRE(until(10s, [&] { return server.info("blocked_clients") == "1"; }));
  CHECK(text(ask(pool, redis_command("RPUSH", "list", "item"))) == "1");
  auto r = come(std::move(popped));
  REQUIRE(r);
  CHECK(r->root()[1].text() == "item");
}

TEST_CASE_FIXTURE(fixture, "commands of a lease run in order") {
  auto lease = take(pool).value();
  std::vector<std::future<result<redis_reply>>> all;
  for (int i = 0; i < 2000; ++i) all.push_back(lease.async_send(redis_command("INCR", "n"), boost::asio::use_future));
  for (int i = 0; i < 2000; ++i) CHECK(come(std::move(all[static_cast<std::size_t>(i)])).value()->integer() == i + 1);
}

TEST_CASE_FIXTURE(fixture, "a lease given back clean is used again") {
  CHECK(used_again([](redis_lease &) {}));
  CHECK(used_again([](redis_lease &l) {
    ask(l, redis_command("MULTI")).value();
    ask(l, redis_command("EXEC")).value();
  }));
  CHECK(used_again([](redis_lease &l) {
    ask(l, redis_command("WATCH", "a")).value();
    ask(l, redis_command("UNWATCH")).value();
  }));
  CHECK(used_again([](redis_lease &l) {
    ask(l, redis_command("WATCH", "a")).value();
    ask(l, redis_command("MULTI")).value();
    ask(l, redis_command("DISCARD")).value();
  }));
}

TEST_CASE_FIXTURE(fixture, "a lease given back in an unknown state is discarded") {
  CHECK_FALSE(used_again([](redis_lease &l) { ask(l, redis_command("MULTI")).value(); }));
  CHECK_FALSE(used_again([](redis_lease &l) { ask(l, redis_command("WATCH", "a")).value(); }));
  CHECK_FALSE(used_again([](redis_lease &l) { ask(l, redis_command("select", 5)).value(); }));
  CHECK_FALSE(used_again([](redis_lease &l) { l.async_send(redis_command("BLPOP", "none", 0), boost::asio::use_future); }));
  CHECK(until(10s, [&] { return server.info("blocked_clients") == "0"; }));
  CHECK(pool.stats().leased == 0);
}

TEST_CASE_FIXTURE(fixture, "what is under way when a lease is given back completes once") {
  std::future<result<redis_reply>> pending;
  {
    auto lease = take(pool).value();
    pending = lease.async_send(redis_command("BLPOP", "none", 0), {.timeout = 20s}, boost::asio::use_future);
  }
  auto r = come(std::move(pending));
  CHECK_FALSE(r);
  CHECK(until(10s, [&] { return pool.stats().leased == 0; }));
}

TEST_CASE_FIXTURE(fixture, "what would end the order of answers is INVALID on a lease too") {
  auto lease = take(pool).value();
  for (auto name : {"SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "MONITOR", "QUIT", "subscribe"}) {
    CAPTURE(name);
    CHECK(ask(lease, redis_command(name, "x")).error().is(status::invalid));
  }
  CHECK(ask(lease, redis_command("CLIENT", "REPLY", "SKIP")).error().is(status::invalid));
  CHECK(text(ask(lease, redis_command("PING"))) == "PONG");
}

TEST_CASE_FIXTURE(fixture, "waiters get leases in the order in which they came") {
  redis_pool small(rt, {.url = server.url(), .max_size = 2});
  auto held = take(small).value();
  auto waits = small.stats().waits;
  std::mutex mutex;
  std::vector<int> order;
  std::vector<redis_lease> got;
  for (int i = 0; i < 20; ++i) {
    small.async_lease([&, i](result<redis_lease> r) {
      std::lock_guard lock(mutex);
      if (!r) return;
      order.push_back(i);
      got.push_back(std::move(*r));
    });
    REQUIRE(until(10s, [&] { return small.stats().waiting == static_cast<std::uint32_t>(i + 1); }));
  }
  held.release();
  for (std::size_t n = 1; n <= 20; ++n) {
    REQUIRE(until(10s, [&] {
      std::lock_guard lock(mutex);
      return order.size() == n;
    }));
    std::lock_guard lock(mutex);
    CHECK(order.back() == static_cast<int>(n) - 1);
    CHECK(small.stats().leased == 1);
    got.clear();
  }
  auto s = small.stats();
  CHECK(s.waits == waits + 20);
  CHECK(s.waiting == 0);
}

TEST_CASE_FIXTURE(fixture, "a cap of 1 refuses leases and subscriptions at once and names itself") {
  redis_pool one(rt, {.url = server.url(), .max_size = 1});
  CHECK(text(ask(one, redis_command("PING"))) == "PONG");
  auto began = std::chrono::steady_clock::now();
  auto lease = take(one, {.timeout = 20s}).error();
  redis_subscription sub(one);
  auto subscribed = subscribe(sub, "a", {.timeout = 20s}).error();
  CHECK(std::chrono::steady_clock::now() - began < 10s);
  for (auto &e : {lease, subscribed}) {
    INFO(said(e));
    CHECK(e.is(status::busy));
    CHECK(e.message().find('1') != std::string::npos);
  }
  CHECK(text(ask(one, redis_command("PING"))) == "PONG");
}

TEST_CASE_FIXTURE(fixture, "an exhausted pool says its counts, is busy and not down, and recovers") {
  redis_pool small(rt, {.url = server.url(), .max_size = 8});
  std::vector<redis_lease> held;
  for (int i = 0; i < 7; ++i) held.push_back(take(small).value());
  auto e = take(small, {.timeout = 100ms}).error();
  INFO(said(e));
  CHECK(e.is(status::busy));
  auto counts = numbers_in(e.message());
  CHECK(counts.size() >= 4);
  CHECK(std::count(counts.begin(), counts.end(), 8) >= 1);
  CHECK(std::count(counts.begin(), counts.end(), 7) >= 1);
  auto s = small.stats();
  CHECK(s.refused == 1);
  CHECK(s.waiting == 0);
  CHECK(s.leased == 7);
  CHECK(s.open == 8);
  held.pop_back();
  CHECK(take(small));
}

TEST_CASE_FIXTURE(fixture, "one slot stays for commands when leases came first") {
  redis_pool small(rt, {.url = server.url(), .max_size = 2});
  auto held = take(small).value();
  CHECK(take(small, {.timeout = 100ms}).error().is(status::busy));
  CHECK(text(ask(small, redis_command("PING"))) == "PONG");
}

TEST_CASE_FIXTURE(fixture, "waiters are bounded") {
  redis_pool small(rt, {.url = server.url(), .max_size = 2, .max_waiting = 3});
  auto held = take(small).value();
  std::vector<std::future<result<redis_lease>>> waiting;
  for (int i = 0; i < 3; ++i) waiting.push_back(small.async_lease({.timeout = 20s}, boost::asio::use_future));
  REQUIRE(until(10s, [&] { return small.stats().waiting == 3; }));
  auto e = take(small, {.timeout = 20s}).error();
  INFO(said(e));
  CHECK(e.is(status::busy));
  CHECK(e.message().find('3') != std::string::npos);
  CHECK(small.stats().waiting == 3);
  held.release();
  for (auto &w : waiting) CHECK(come(std::move(w)));
}

TEST_CASE_FIXTURE(fixture, "a wait that is cancelled leaves nothing behind") {
  redis_pool small(rt, {.url = server.url(), .max_size = 2});
  auto held = take(small).value();
  boost::asio::io_context ctx;
  boost::asio::cancellation_signal cancel;
  std::optional<result<redis_lease>> got;
  small.async_lease({.timeout = 20s},
                    boost::asio::bind_cancellation_slot(
                        cancel.slot(), boost::asio::bind_executor(ctx, [&](result<redis_lease> r) { got = std::move(r); })));
  boost::asio::post(ctx, [&] {
    CHECK(until(10s, [&] { return small.stats().waiting == 1; }));
    cancel.emit(boost::asio::cancellation_type::all);
  });
  ctx.run_for(patience);
  REQUIRE(got);
  CHECK(got->error().is(status::cancelled));
  CHECK(small.stats().waiting == 0);
  held.release();
  CHECK(take(small));
}

TEST_CASE_FIXTURE(fixture, "try_lease takes what is idle, and nothing else") {
  CHECK_FALSE(pool.try_lease());
  take(pool).value().release();
  REQUIRE(until(10s, [&] { return pool.stats().idle == 1; }));
  auto first = pool.try_lease();
  REQUIRE(first);
  CHECK(text(ask(first, redis_command("PING"))) == "PONG");
  CHECK_FALSE(pool.try_lease());
}

TEST_CASE_FIXTURE(fixture, "a lease whose connection was killed fails, and the next is sound") {
  auto lease = take(pool).value();
  server.command({"CLIENT", "KILL", "ID", std::to_string(id(lease))});
  CHECK_FALSE(ask(lease, redis_command("PING")));
  lease.release();
  auto next = take(pool).value();
  CHECK(text(ask(next, redis_command("PING"))) == "PONG");
}

TEST_CASE_FIXTURE(fixture, "an idle connection that the server closed is not handed out") {
  auto lease = take(pool).value();
  auto killed = std::to_string(id(lease));
  lease.release();
  server.command({"CLIENT", "KILL", "ID", killed});
  REQUIRE(until(10s, [&] { return pool.stats().idle == 0; }));
  auto next = take(pool).value();
  CHECK(text(ask(next, redis_command("PING"))) == "PONG");
}

TEST_CASE_FIXTURE(fixture, "idle connections are closed after their limit, old ones at their age") {
  redis_pool brief(rt, {.url = server.url(), .kind = "brief", .idle_limit = 50ms});
  take(brief).value().release();
  CHECK(until(10s, [&] { return brief.stats().idle == 0 && server.clients(":brief").size() == brief.stats().pipelines; }));

  redis_pool ageing(rt, {.url = server.url(), .kind = "ageing", .lifetime = 200ms});
  auto first = ask(ageing, redis_command("CLIENT", "ID")).value()->integer();
  CHECK(until(10s, [&] { return ask(ageing, redis_command("CLIENT", "ID")).value()->integer() != first; }));
}

TEST_CASE_FIXTURE(fixture, "threads that lease and give back at once: nobody is refused, and all that is idle can be had") {
  redis_pool narrow(rt, {.url = server.url(), .kind = "narrow", .max_size = 3});
  std::atomic<int> refused{0};
  auto work = [&] {
    for (int i = 0; i < 20'000; ++i) refused += !take(narrow);
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back(work);
  for (auto &t : threads) t.join();
  CHECK(refused == 0);
  CHECK(narrow.stats().leased == 0);
  CHECK(narrow.stats().waiting == 0);
  auto first = take(narrow), second = take(narrow);
  REQUIRE(first);
  REQUIRE(second);
  CHECK(narrow.stats().leased == 2);
  CHECK(id(*first) != id(*second));
}
