#include "queue/lease_clock.hpp"

#include <doctest/doctest.h>

#include <random>

using corbel::detail::lease_clock;
using namespace std::chrono_literals;
using moment = lease_clock::clock::time_point;

TEST_CASE("leases are renewed at a third of their time, counted from the start of the renewal") {
  lease_clock clock(30s);
  moment t{};
  CHECK_FALSE(clock.due());
  clock.began(t);
  CHECK(clock.due() == t + 10s);
  clock.renewal_started(t + 10s);
  CHECK_FALSE(clock.due());
  clock.renewal_done(true, t + 12s);
  CHECK(clock.due() == t + 20s);
  clock.ended();
  CHECK_FALSE(clock.due());
}

TEST_CASE("a failed renewal is tried again sooner") {
  lease_clock clock(30s);
  clock.began(moment{});
  clock.renewal_started(moment{} + 10s);
  clock.renewal_done(false, moment{} + 15s);
  CHECK(clock.due() == moment{} + 16s);
  CHECK(lease_clock(300ms).retry() == 30ms);
}

TEST_CASE("a reconnect asks for a renewal at once, also when one is under way") {
  lease_clock clock(30s);
  clock.reconnected(moment{});
  CHECK_FALSE(clock.due());
  clock.began(moment{});
  clock.reconnected(moment{} + 2s);
  CHECK(clock.due() == moment{} + 2s);
  clock.renewal_started(moment{} + 2s);
  clock.reconnected(moment{} + 3s);
  CHECK_FALSE(clock.due());
  clock.renewal_done(true, moment{} + 4s);
  CHECK(clock.due() == moment{} + 4s);
}

TEST_CASE("random schedules: a held lease outlives two failed renewals in a row") {
  for (unsigned seed = 0; seed < 3000; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    const auto lease = std::chrono::milliseconds(100 + random() % 60000);
    const auto most = lease / 12;  // that a call takes
    lease_clock clock(lease);
    moment now{}, ends = now + lease;
    clock.began(now);
    int failures = 0;
    for (int i = 0; i < 60; ++i) {
      if (random() % 8 == 0) clock.reconnected(now);
      auto due = clock.due();
      REQUIRE(due);
      now = std::max(now, *due);
      REQUIRE(now < ends);
      clock.renewal_started(now);
      const auto sent = now;
      if (random() % 8 == 0) clock.reconnected(now);
      now += std::chrono::milliseconds(random() % static_cast<unsigned>(most.count() + 1));
      const bool well = failures == 2 || random() % 3 != 0;
      failures = well ? 0 : failures + 1;
      if (well) ends = sent + lease;
      clock.renewal_done(well, now);
    }
    clock.ended();
    REQUIRE_FALSE(clock.due());
  }
}
