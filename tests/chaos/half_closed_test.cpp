// A peer that has ended its sending side but still reads, and a network that swallows everything.
#include "chaos/gated.hpp"

using namespace corbel;
using namespace corbel::test;

TEST_CASE("half-closed: noticed at once, what was sent is LOST, and all is made anew") {
  gated g;
  callers crowd(*g.pool, 100, 10, {.timeout = 20s});
  for (int round = 0; round < 30; ++round) {
    CAPTURE(round);
    auto before = crowd.ok();
    REQUIRE(until(patience, [&] { return crowd.ok() > before + 500; }));
    g.grow_old();
    g.gate.half_close();
    REQUIRE(
        until(patience, [&] { return count(*g.reader, notice_kind::resubscribed) == static_cast<std::size_t>(round) + 1; }));
  }
  REQUIRE(crowd.stop(patience));
  auto r = crowd.report();
  check_exactly_once(r);
  CHECK(r.ok + failed_with(r, {status::lost}) == r.completed);
  g.check_alive();
  CHECK(until(patience, [&] { return g.server.clients().size() == g.pool->stats().open; }));  // none was left behind
}

TEST_CASE("half-closed without any command under way") {
  gated g;
  for (std::size_t round = 1; round <= 10; ++round) {
    g.grow_old();
    g.gate.half_close();
    REQUIRE(until(patience, [&] { return count(*g.reader, notice_kind::resubscribed) == round; }));
    g.check_alive();
  }
}

TEST_CASE("a black hole: deadlines hold, and what was held back does no harm when it comes after all") {
  gated g({.idle_ping = 100ms, .ping_overdue = 300ms});
  callers crowd(*g.pool, 200, 20, {.timeout = 500ms});
  REQUIRE(until(patience, [&] { return crowd.ok() > 1000; }));
  for (int round = 0; round < 3; ++round) {
    g.gate.black_hole(true);
    auto before = crowd.completed();
    REQUIRE(until(patience, [&] { return crowd.completed() > before + 400; }));
    REQUIRE(until(patience, [&] { return count(*g.reader, notice_kind::gap) > static_cast<std::size_t>(round); }));
    g.gate.black_hole(false);
    auto ok = crowd.ok();
    REQUIRE(until(patience, [&] { return crowd.ok() > ok + 1000; }));
  }
  REQUIRE(crowd.stop(patience));
  auto r = crowd.report();
  check_exactly_once(r);
  g.check_alive();
}
