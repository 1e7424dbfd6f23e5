// LISTEN and NOTIFY, over losses too.
#include "support/pg_calls.hpp"
#include "support/postgres_server.hpp"
#include "support/until.hpp"

#include <doctest/doctest.h>

using namespace corbel;
using namespace corbel::test;

namespace {
constexpr auto &future = boost::asio::use_future;
using kind = pg_notice::kind;
struct fixture {
  postgres_server server;
  runtime rt;
  pg_pool pool{rt, {.conninfo = server.url()}};
  std::deque<pg_notice> read;
  result<void> listen(pg_listener &l, const std::string &channel) { return got(l.async_listen(channel, {}, future)); }
  /// The next notice.
  pg_notice next(pg_listener &l) {
    if (read.empty()) {
      auto batch = got(l.async_receive(future)).value();
      read.insert(read.end(), batch.begin(), batch.end());
    }
    auto n = read.front();
    read.pop_front();
    return n;
  }
};
}  // namespace

TEST_CASE_FIXTURE(fixture, "what is notified arrives, in order, with channel and payload") {
  pg_listener l(pool);
  REQUIRE(listen(l, "news"));
  REQUIRE(listen(l, "Odd \"name\""));
  for (int i = 0; i < 100; ++i) REQUIRE(ask(pool, pg_statement("SELECT pg_notify('news', $1)", std::to_string(i))));
  for (int i = 0; i < 100; ++i) {
    auto n = next(l);
    CHECK(n.type == kind::message);
    CHECK(n.channel == "news");
    CHECK(n.payload == std::to_string(i));
    CHECK(n.epoch == 1);
    CHECK(n.backend > 0);
  }
  server.ask("NOTIFY \"Odd \"\"name\"\"\"");
  CHECK(next(l).channel == "Odd \"name\"");
  REQUIRE(got(l.async_unlisten("news", {}, future)));
  server.ask("NOTIFY news; NOTIFY \"Odd \"\"name\"\"\", 'last'");
  CHECK(next(l).payload == "last");
  CHECK(pool.stats().listening == 1);
}

TEST_CASE_FIXTURE(fixture, "two listeners of one channel are one LISTEN; the last to leave gives the connection back") {
  std::optional<pg_listener> a(std::in_place, pool);
  pg_listener b(pool);
  REQUIRE(listen(*a, "x"));
  REQUIRE(listen(b, "x"));
  CHECK(server.clients("query LIKE 'LISTEN%'") == 1);
  a.reset();
  server.ask("NOTIFY x, 'still'");
  CHECK(next(b).payload == "still");
  REQUIRE(got(b.async_unlisten("x", {}, future)));
  CHECK(until(pg_patience, [&] { return pool.stats().listening == 0 && server.clients("query LIKE '%LISTEN%'") == 0; }));
  REQUIRE(listen(b, "x"));
  server.ask("NOTIFY x, 'again'");
  CHECK(next(b).payload == "again");
}

TEST_CASE_FIXTURE(fixture, "after a loss it listens again, and says so with an epoch") {
  pg_listener l(pool);
  REQUIRE(listen(l, "a"));
  REQUIRE(listen(l, "b"));
  for (std::uint64_t round = 1; round <= 3; ++round) {
    if (round == 2)
      server.restart();
    else
      server.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'");
    CHECK(next(l).type == kind::gap);
    auto back = next(l);
    CHECK(back.type == kind::listening);
    CHECK(back.epoch == round + 1);
    server.ask("NOTIFY a, 'one'; NOTIFY b, 'two'");
    CHECK(next(l).payload == "one");
    auto two = next(l);
    CHECK(two.payload == "two");
    CHECK(two.epoch == round + 1);
  }
}

TEST_CASE_FIXTURE(fixture, "a slow reader loses the oldest and is told how many") {
  pg_listener l(pool, 10);
  REQUIRE(listen(l, "a"));
  REQUIRE(ask(pool, "SELECT pg_notify('a', n::text) FROM generate_series(1, 100) n"));
  server.ask("NOTIFY a, 'end'");
  CHECK(until(pg_patience, [&] {
    auto batch = got(l.async_receive(future)).value();
    read.insert(read.end(), batch.begin(), batch.end());
    return read.back().payload == "end";
  }));
  std::uint64_t seen = 0, dropped = 0;
  for (auto &n : read) {
    ++seen;
    dropped += n.dropped;
  }
  CHECK(dropped > 0);
  CHECK(seen + dropped == 101);
}

TEST_CASE_FIXTURE(fixture, "what cannot be listened to, and a pool without room") {
  pg_listener l(pool);
  CHECK(listen(l, "").error().is(status::invalid));
  CHECK(listen(l, std::string(64, 'x')).error().is(status::invalid));
  pg_pool one(rt, {.conninfo = server.url(), .kind = "one", .max_size = 1});
  auto held = take(one).value();
  pg_listener waiting(one);
  auto e = got(waiting.async_listen("a", {.timeout = 50ms}, future)).error();
  CHECK(e.is(status::unavailable));
  CHECK(e.message().find("1 of 1 connections") != std::string::npos);
  auto later = waiting.async_listen("a", {}, future);
  held.release();
  CHECK(got(std::move(later)));
  CHECK(one.stats().open == 1);
  auto receive = waiting.async_receive(future);
  REQUIRE(got(one.async_close({}, future)));
  CHECK(got(std::move(receive)).error().is(status::closed));
}
