#include "pool/reconnect_plan.hpp"

#include <doctest/doctest.h>

#include <random>

using corbel::detail::reconnect_plan;
using namespace std::chrono_literals;

namespace {
const auto start = reconnect_plan::time{} + 1h;

/// A plan whose connection was healthy for `health` and is lost at `at`.
reconnect_plan lost_after(std::chrono::milliseconds health, reconnect_plan::time at) {
  reconnect_plan p;
  p.connected(at - health);
  p.lost(at);
  return p;
}
}  // namespace

TEST_CASE("the first try after a loss is at once, the next within 80 ms") {
  auto p = lost_after(10s, start);
  CHECK(p.next_delay(start, 0.99) == 0ms);
  for (int i = 1; i < 20; ++i) CHECK(p.next_delay(start + i * 50ms, 0.999) <= 80ms);
  CHECK(p.cap() == 80ms);
}

TEST_CASE("after two seconds the cap doubles to five seconds and stays there") {
  auto p = lost_after(10s, start);
  (void)p.next_delay(start, 0.5);
  auto last = p.cap();
  for (int i = 0; i < 20; ++i) {
    (void)p.next_delay(start + 2s, 0.5);
    CHECK((p.cap() == last * 2 || p.cap() == 5s));
    last = p.cap();
  }
  CHECK(p.cap() == 5s);
}

TEST_CASE("a short outage leaves nothing behind, however short the health between two of them") {
  reconnect_plan p;
  auto now = start;
  for (int i = 0; i < 100; ++i) {
    p.connected(now);
    now += 150ms;
    p.lost(now);
    CHECK(p.next_delay(now, 0.9) == 0ms);
    now += 300ms;
    CHECK(p.next_delay(now, 0.999) <= 80ms);
  }
}

TEST_CASE("how far the cap had grown is kept over less than five seconds of health and forgotten after them") {
  for (auto [health, kept] : {std::pair{4999ms, true}, std::pair{5000ms, false}}) {
    auto p = lost_after(10s, start);
    (void)p.next_delay(start, 0.5);
    for (int i = 0; i < 5; ++i) (void)p.next_delay(start + 3s, 0.5);
    const auto grown = p.cap();
    REQUIRE(grown > 80ms);
    p.connected(start + 4s);
    p.lost(start + 4s + health);
    CHECK((p.cap() == grown) == kept);
    CHECK((p.next_delay(start + 4s + health, 0.5) == 0ms) != kept);
  }
}

TEST_CASE("connections that die at once begin the doubling with the eighth") {
  reconnect_plan p;
  auto now = start;
  int tries_at_first_cap = 0;
  for (int i = 0; i < 30 && p.cap() == 80ms; ++i) {
    p.connected(now);
    now += 50ms;
    p.lost(now);
    (void)p.next_delay(now, 0.5);
    ++tries_at_first_cap;
  }
  CHECK(tries_at_first_cap == 8);
  CHECK(p.cap() > 80ms);
}

TEST_CASE("five thousand random schedules: no delay passes the cap, no cap passes five seconds") {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> unit(0, 1);
  for (int schedule = 0; schedule < 5000; ++schedule) {
    reconnect_plan p;
    auto now = start;
    bool up = false;
    for (int step = 0; step < 40; ++step) {
      now += std::chrono::milliseconds(static_cast<int>(unit(random) * unit(random) * 8000));
      if (!up && unit(random) < 0.3) {
        p.connected(now);
        up = true;
      } else if (up && unit(random) < 0.5) {
        p.lost(now);
        up = false;
      }
      if (up) continue;
      const auto delay = p.next_delay(now, unit(random));
      CHECK(delay <= p.cap());
      CHECK(p.cap() <= 5s);
      CHECK(delay >= 0ms);
    }
  }
}
