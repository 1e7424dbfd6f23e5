// A pool's cap changes while it is used: nobody fails, leases in use are never cut.
#include "support/callers.hpp"
#include "support/redis_calls.hpp"
#include "support/redis_server.hpp"
#include "support/until.hpp"

#include <corbel/redis_subscription.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <random>
#include <thread>

using namespace corbel;
using namespace corbel::test;

namespace {

struct fixture {
  redis_server server;
  runtime rt;
  redis_pool pool{rt, {.url = server.url(), .max_size = 6}};
  std::size_t connections() { return server.clients(":redis").size(); }
  bool shrinks_to(std::size_t n) {
    return until(patience, [&] { return connections() == n; });
  }
  std::vector<redis_lease> leases(int n) {
    std::vector<redis_lease> all;
    for (int i = 0; i < n; ++i) all.push_back(take(pool).value());
    return all;
  }
};

}  // namespace

TEST_CASE_FIXTURE(fixture, "growth at once: who waits is served") {
  auto held = leases(5);
  auto waiting = pool.async_lease(call{.timeout = patience}, boost::asio::use_future);
  REQUIRE(until(patience, [&] { return pool.stats().waiting == 1; }));
  CHECK(pool.stats().max == 6);
  REQUIRE(pool.resize(7));
  auto got = come(std::move(waiting));
  REQUIRE(got);
  CHECK(pool.stats().max == 7);
  CHECK(pool.stats().leased == 6);
}

TEST_CASE_FIXTURE(fixture, "shrinking: idle connections go at once, leased ones when they come back") {
  auto held = leases(5);
  held.resize(3);  // two are idle
  REQUIRE(until(patience, [&] { return pool.stats().idle == 2; }));
  REQUIRE(pool.resize(2));
  REQUIRE(shrinks_to(4));
  for (auto &l : held) CHECK(text(ask(l, redis_command("PING"))) == "PONG");
  CHECK(pool.try_lease().connection() == nullptr);
  held.pop_back();
  REQUIRE(shrinks_to(3));
  held.pop_back();
  REQUIRE(shrinks_to(2));
  CHECK(text(ask(held.front(), redis_command("PING"))) == "PONG");
  held.clear();
  REQUIRE(until(patience, [&] { return pool.stats().idle == 1; }));  // within the cap: kept
  CHECK(connections() == 2);
}

TEST_CASE_FIXTURE(fixture, "who waits while it shrinks is served, later") {
  auto held = leases(5);
  std::vector<std::future<result<redis_lease>>> waiting;
  for (int i = 0; i < 3; ++i) waiting.push_back(pool.async_lease(call{.timeout = patience}, boost::asio::use_future));
  REQUIRE(until(patience, [&] { return pool.stats().waiting == 3; }));
  REQUIRE(pool.resize(2));
  held.clear();
  for (auto &w : waiting) CHECK(come(std::move(w)));  // one after the other: each gives its lease back at once
  REQUIRE(shrinks_to(2));
}

TEST_CASE_FIXTURE(fixture, "a cap of one: leases in use stay, those who wait are served, new ones are refused") {
  redis_subscription sub(pool);
  REQUIRE(subscribe(sub, "news"));
  auto held = leases(4);
  auto waiting = pool.async_lease(call{.timeout = patience}, boost::asio::use_future);
  REQUIRE(until(patience, [&] { return pool.stats().waiting == 1; }));
  REQUIRE(pool.resize(1));
  held.pop_back();
  REQUIRE(come(std::move(waiting)));
  CHECK(text(ask(held.front(), redis_command("PING"))) == "PONG");
  held.clear();
  REQUIRE(shrinks_to(2));  // the pipeline, and the subscription, which is not cut
  auto refused = take(pool);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().is(status::busy));
  server.command({"PUBLISH", "news", "still there"});
  CHECK(come(sub.async_receive(boost::asio::use_future)).value().front().payload() == "still there");
  REQUIRE(pool.resize(6));
  CHECK(take(pool));
}

TEST_CASE_FIXTURE(fixture, "a second pipeline goes when it has nothing under way") {
  std::vector<std::future<result<redis_reply>>> answers;
  REQUIRE(until(patience, [&] {
    for (int i = 0; i < 2000; ++i) answers.push_back(pool.async_send(redis_command("ECHO", i), boost::asio::use_future));
    return pool.stats().pipelines > 1;
  }));
  REQUIRE(pool.resize(1));
  for (auto &a : answers) REQUIRE(come(std::move(a)));
  REQUIRE(until(patience, [&] { return pool.stats().pipelines == 1; }));
  REQUIRE(shrinks_to(1));
}

TEST_CASE_FIXTURE(fixture, "unbounded and back") {
  REQUIRE(pool.resize(unbounded));
  auto held = leases(20);
  CHECK(pool.stats().max == unbounded);
  REQUIRE(pool.resize(3));
  held.clear();
  REQUIRE(until(patience, [&] { return connections() <= 3; }));
}

TEST_CASE_FIXTURE(fixture, "0 is refused, and so is a closed pool") {
  CHECK(pool.resize(0).error().is(status::invalid));
  REQUIRE(come(pool.async_close(call{}, boost::asio::use_future)));
  CHECK(pool.resize(3).error().is(status::closed));
}

TEST_CASE_FIXTURE(fixture, "commands and leases of many callers while the cap changes all the time: none fails") {
  callers on_pipelines(pool, 32, 8, {.timeout = patience});
  std::atomic<bool> stop{false};
  std::atomic<std::size_t> taken{0}, failed{0};
  std::vector<std::thread> leasing;
  for (int t = 0; t < 6; ++t)
    leasing.emplace_back([&] {
      while (!stop) {
        auto lease = take(pool, {.timeout = patience});
        auto r = lease ? ask(*lease, redis_command("PING"), {.timeout = patience}) : result<redis_reply>(lease.error());
        ++(r ? taken : failed);
        if (!r) MESSAGE(said(r.error()));
      }
    });
  std::mt19937 random(7);
  for (int i = 0; i < 100; ++i) {
    const auto before = taken.load();
    REQUIRE(pool.resize(2 + static_cast<std::uint32_t>(random() % 8)));
    REQUIRE(until(patience, [&] { return taken >= before + 20; }));
  }
  stop = true;
  for (auto &t : leasing) t.join();
  REQUIRE(on_pipelines.stop(patience));
  const auto report = on_pipelines.report();
  CHECK(failed == 0);
  CHECK(taken >= 2000);
  CHECK(report.failed.empty());
  CHECK(report.wrong == 0);
  CHECK(report.again == 0);
  CHECK(report.uncounted == 0);
  REQUIRE(pool.resize(2));
  REQUIRE(until(patience, [&] { return connections() <= 2; }));
}
