// A server that hangs: connected, and silent for longer than the deadline.
#include "chaos/gated.hpp"

using namespace corbel;
using namespace corbel::test;

TEST_CASE("SIGSTOP for longer than the deadline: every call times out once, and no answer is shifted") {
  gated g;
  callers crowd(*g.pool, 1000, 20, {.timeout = 300ms});
  REQUIRE(until(patience, [&] { return crowd.ok() > 5000; }));
  for (int round = 0; round < 3; ++round) {
    g.server.pause();
    auto before = crowd.completed();
    REQUIRE(until(patience, [&] { return crowd.completed() > before + 2000; }));  // each caller, twice over
    g.server.resume();
    auto ok = crowd.ok();
    REQUIRE(until(patience, [&] { return crowd.ok() > ok + 5000; }));
  }
  REQUIRE(crowd.stop(patience));
  auto r = crowd.report();
  check_exactly_once(r);
  CHECK(failed_with(r, {status::timeout}) >= 1000);
  CHECK(r.ok + failed_with(r, {status::timeout, status::lost, status::unavailable}) == r.completed);
  g.check_alive();
  CHECK(g.pool->stats().unanswered == 0);
}

TEST_CASE("a silent server is found out by the overdue PING, and connected again when it wakes") {
  gated g({.idle_ping = 100ms, .ping_overdue = 300ms});
  g.server.pause();
  REQUIRE(g.reader->wait_for([](auto &n) { return n.type == notice_kind::gap; }));
  REQUIRE(until(patience, [&] { return g.pool->stats().open == 0; }));
  auto e = ask(*g.pool, redis_command("INCR", "n"), {.timeout = 200ms}).error();
  INFO(said(e));
  CHECK(e.is(status::unavailable));  // nothing was sent
  g.server.resume();
  REQUIRE(g.reader->wait_for([](auto &n) { return n.type == notice_kind::resubscribed; }));
  g.check_alive();
  CHECK(g.server.command({"GET", "n"}).nil);
}
