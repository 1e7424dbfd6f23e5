/// Leases through an outage: Redis is away for longer than a lease while handlers work.

#include "live/queue_fixture.hpp"

#include <cstdio>

using namespace corbel;
using namespace corbel::test;

namespace {

struct outage_fixture {
  redis_server server{{.append_only = true, .arguments = {"--appendfsync", "always"}}};
  runtime rt, other_rt;
  redis_pool pool{rt, {.url = server.url()}}, other_pool{other_rt, {.url = server.url()}};

  void put(std::vector<put_item> items) {
    producer in(pool, {.name = "work"});
    REQUIRE(now(in.async_put(std::move(items), {}, boost::asio::use_future)));
  }
  double lease_of(const message &m) { return test::lease_of(server, m.token()); }
  /// Redis is killed, and is started again after so long.
  void outage(std::chrono::milliseconds length) {
    server.kill();
    const auto end = std::chrono::steady_clock::now() + length;
    CHECK(until(length + 1s, [&] { return std::chrono::steady_clock::now() >= end; }));
    server.start();
  }
};

}  // namespace

TEST_CASE_FIXTURE(outage_fixture, "an outage of one and a half leases: who works goes on, and nobody else works the same") {
  put({{"1"}, {"2"}, {"3"}, {"4"}});
  consumer out(pool, {.name = "work", .concurrency = 4, .lease = 1500ms});
  consumer other(other_pool, {.name = "work", .concurrency = 4, .lease = 1500ms});
  std::vector<message> held;
  for (int i = 0; i < 4; ++i) held.push_back(take(out));
  auto waiting = taking(other);
  std::vector<std::future<result<bool>>> lost;
  for (auto &m : held) lost.push_back(m.async_wait_lost(boost::asio::use_future));
  std::vector<double> before;
  for (auto &m : held) before.push_back(lease_of(m));
  outage(2250ms);
  for (std::size_t i = 0; i < held.size(); ++i) CHECK(until(patience, [&] { return lease_of(held[i]) > before[i] + 4500; }));
  CHECK(waiting.wait_for(0s) == std::future_status::timeout);
  for (auto &m : held) {
    CHECK_FALSE(m.lost());
    CHECK(settled(m));
  }
  for (auto &f : lost) CHECK_FALSE(now(std::move(f)).value());
  CHECK(server.command({"EXISTS", "work", "work:inflight", "work:leases", "work:holders"}).number == 0);
}

TEST_CASE_FIXTURE(outage_fixture,
                  "a lease that was lost: its holder is told at once, its acknowledge is refused, the other's counts") {
  put({{"x", "m"}});
  consumer out(pool, {.name = "work", .lease = 15000ms}), other(other_pool, {.name = "work", .lease = 500ms});
  auto m = take(out);
  auto lost = m.async_wait_lost(boost::asio::use_future);
  end_lease(server, m.token());
  auto again = take(other);
  const auto taken = std::chrono::steady_clock::now();
  CHECK(now(std::move(lost)).value());
  const auto after = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - taken);
  std::printf("told of the loss %lld ms after another had the message; a renewal comes every 5000\n",
              static_cast<long long>(after.count()));
  CHECK(m.lost());
  CHECK_FALSE(settled(m));
  CHECK(again.token() > m.token());
  CHECK(again.attempt() == 2);
  CHECK(settled(again));
}

TEST_CASE_FIXTURE(outage_fixture, "a drain whose time is over hands back, uncounted, also when Redis was away meanwhile") {
  put({{"1"}, {"2"}});
  consumer out(pool, {.name = "work", .concurrency = 2, .lease = 1500ms});
  auto a = take(out), b = take(out);
  auto drained = out.async_drain({.timeout = 1000ms}, boost::asio::use_future);
  outage(500ms);
  CHECK(now(std::move(drained)).value() == 2);
  CHECK((a.lost() && b.lost()));
  consumer next(other_pool, {.name = "work", .concurrency = 2});
  for (auto body : {"1", "2"}) {
    auto m = take(next);
    CHECK(m.body() == body);
    CHECK(m.attempt() == 1);
    CHECK(settled(m));
  }
}
