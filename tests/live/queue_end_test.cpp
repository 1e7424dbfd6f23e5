/// Draining, freeing in any order and on any thread, forks.

#include "live/queue_fixture.hpp"

#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace corbel;
using namespace corbel::test;

TEST_CASE_FIXTURE(queue_fixture, "a drain hands back what was not taken and waits for what was") {
  put({{"1"}, {"2"}, {"3"}, {"4"}});
  consumer out(pool, {.name = "work", .concurrency = 1, .prefetch = 2});
  auto m = take(out);
  REQUIRE(until(patience, [&] { return inflight() == 3; }));
  auto waiting = taking(out);  // one is out: this one waits
  auto drained = out.async_drain({.timeout = patience}, boost::asio::use_future);
  CHECK(now(std::move(waiting)).error().is(status::closed));
  REQUIRE(until(patience, [&] { return inflight() == 1; }));
  CHECK(drained.wait_for(0s) == std::future_status::timeout);
  CHECK(settled(m));
  CHECK(now(std::move(drained)).value() == 0);
  CHECK(now(taking(out)).error().message() == "the consumer was drained: open a new one");

  consumer next(pool, {.name = "work"});
  for (auto body : {"2", "3", "4"}) {
    auto n = take(next);
    CHECK(n.body() == body);
    CHECK(n.attempt() == 1);
    CHECK(settled(n));
  }
  CHECK(is_empty());
}

TEST_CASE_FIXTURE(queue_fixture, "at its deadline a drain hands back what is out, uncounted, and tells who has it") {
  put({{"1"}, {"2"}});
  consumer out(pool, {.name = "work", .concurrency = 2});
  auto a = take(out), b = take(out);
  auto lost = b.async_wait_lost(boost::asio::use_future);
  CHECK(drain(out, 50ms).value() == 2);
  CHECK(now(std::move(lost)).value());
  CHECK(b.lost());
  CHECK_FALSE(settled(a));
  CHECK(inflight() == 0);
  consumer next(pool, {.name = "work"});
  for (auto body : {"1", "2"}) {
    auto m = take(next);
    CHECK(m.body() == body);
    CHECK(m.attempt() == 1);
    CHECK(settled(m));
  }
  CHECK(drain(out).value() == 0);
  CHECK(is_empty());
}

TEST_CASE_FIXTURE(queue_fixture,
                  "freed, a consumer stops claiming; its messages stay leased until they are settled or freed") {
  put({{"1"}, {"2"}, {"3"}});
  std::optional<consumer> out(std::in_place, pool,
                              queue_options{.name = "work", .concurrency = 2, .prefetch = 1, .lease = 300ms});
  std::optional<message> a(take(*out)), b(take(*out));
  auto waiting = taking(*out);
  out.reset();
  CHECK(now(std::move(waiting)).error().is(status::cancelled));
  REQUIRE(until(patience, [&] { return ready() == 1; }));
  auto lease = [&] { return lease_of(server, a->token()); };
  const auto before = lease();
  REQUIRE(until(patience, [&] { return lease() > before + 600; }));  // it outlived its lease twice
  CHECK(settled(*a));
  std::thread([&] { b.reset(); }).join();
  CHECK(until(patience, [&] { return ready() == 2 && inflight() == 0; }));
}

TEST_CASE("everything may be freed in any order") {
  for (int order = 0; order < 12; ++order) {
    CAPTURE(order);
    redis_server server;
    std::optional<runtime> rt(std::in_place);
    std::optional<redis_pool> pool(std::in_place, *rt, redis_options{.url = server.url()});
    std::optional<producer> in(std::in_place, *pool, queue_options{.name = "work"});
    std::optional<consumer> out(std::in_place, *pool, queue_options{.name = "work", .concurrency = 2});
    REQUIRE(now(in->async_put({.body = "x"}, boost::asio::use_future)));
    std::optional<message> m(take(*out));
    auto waiting = taking(*out);
    auto settled_late =
        order % 2 == 0 ? m->async_settle(settle::done, {}, boost::asio::use_future) : std::future<result<bool>>();
    for (int i = 0; i < 5; ++i) {
      switch ((i + order) % 5) {
        case 0:
          rt.reset();
          break;
        case 1:
          pool.reset();
          break;
        case 2:
          m.reset();
          break;
        case 3:
          out.reset();
          break;
        case 4:
          in.reset();
          break;
      }
    }
    (void)now(std::move(waiting));
    if (settled_late.valid()) (void)now(std::move(settled_late));
    CHECK(until(patience, [&] { return in_flight(server) == 0; }));
    CHECK(until(patience, [&] { return server.clients().empty(); }));
  }
}

TEST_CASE("a runtime that shuts down ends takes and drains") {
  redis_server server;
  for (std::uint32_t connections : {1u, 32u}) {
    runtime rt;
    redis_pool pool(rt, {.url = server.url(), .max_size = connections});
    consumer out(pool, {.name = "work"});
    producer in(pool, {.name = "work"});
    REQUIRE(now(in.async_put({.body = "x"}, boost::asio::use_future)));
    auto m = take(out);
    auto waiting = taking(out);
    CHECK(rt.shutdown(5s));
    CHECK_FALSE(now(std::move(waiting)));
    CHECK(now(taking(out)).error().is(status::closed));
    CHECK(settling(m, settle::done).error().is(status::closed));
    CHECK(now(in.async_put({.body = "x"}, boost::asio::use_future)).error().is(status::closed));
    server.command({"FLUSHALL"});
  }
}

TEST_CASE_FIXTURE(queue_fixture, "a child of a fork is refused and may free everything") {
  put({{"x"}, {"y"}});
  std::optional<consumer> out(std::in_place, pool, queue_options{.name = "work", .prefetch = 1});
  std::optional<producer> in(std::in_place, pool, queue_options{.name = "work"});
  std::optional<message> m(take(*out));
  const pid_t child = ::fork();
  if (child == 0) {
    int wrong = 15;
    auto told = [&](int bit) { return [&wrong, bit](const auto &r) { wrong &= r.error().is(status::forked) ? ~bit : 15; }; };
    out->async_take(told(1));
    out->async_drain({}, told(2));
    m->async_settle(settle::done, {}, told(4));
    in->async_put({.body = "z"}, told(8));
    m.reset();
    out.reset();
    in.reset();
    ::_exit(wrong);
  }
  int status = -1;
  REQUIRE(until(patience, [&] { return ::waitpid(child, &status, WNOHANG) == child; }));
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(settled(*m));
  auto n = take(*out);
  CHECK(n.body() == "y");
  CHECK(n.attempt() == 1);
  CHECK(settled(n));
}
