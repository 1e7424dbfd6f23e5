#include "health/flap_damper.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace corbel;
using namespace corbel::detail;
using namespace std::chrono_literals;

namespace {
constexpr auto ok = health_state::ok, down = health_state::down, degraded = health_state::degraded;
auto at(std::chrono::milliseconds t) { return flap_damper::clock::time_point(1h) + t; }
}  // namespace

TEST_CASE("a restart is believed at once, a part that comes and goes is not") {
  flap_damper d;
  d.said(health_state::unknown, at(0s));
  d.said(ok, at(1s));
  d.said(down, at(2s));
  CHECK_FALSE(d.instead(at(2s)));
  d.said(ok, at(3s));
  CHECK_FALSE(d.instead(at(3s)));
  CHECK_FALSE(d.due(at(3s)));
  d.said(down, at(4s));
  d.said(ok, at(5s));
  REQUIRE(d.instead(at(5s)));
  CHECK(*d.instead(at(5s)) == down);
  CHECK(d.due(at(5s)) == at(15s));
  d.said(ok, at(9s));  // says the same: goes on being steady
  CHECK(d.due(at(9s)) == at(15s));
  CHECK_FALSE(d.instead(at(15s)));
  d.said(down, at(16s));  // it starts anew
  d.said(ok, at(17s));
  CHECK_FALSE(d.instead(at(17s)));
}

TEST_CASE("slow changes are no flapping") {
  flap_damper d;
  for (int i = 0; i < 40; ++i) {
    d.said(i % 2 ? down : ok, at(25s * i));
    CHECK_FALSE(d.instead(at(25s * i)));
  }
}

TEST_CASE("whatever is said: never better than what was said, never worse than what was, and what is steady is believed") {
  const health_state states[] = {ok, health_state::saturated, degraded, health_state::unknown, down};
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    flap_damper d;
    auto now = at(0s), changed = now;
    auto last = health_state::unknown;
    int worst = -1;
    for (int step = 0; step < 60; ++step) {
      now += std::chrono::milliseconds(random() % (random() % 8 ? 1500 : 30000));
      if (now - changed >= flap_damper::steady) worst = -1;
      const auto state = states[random() % 5];
      if (state != last) changed = now;
      worst = std::max({worst, illness(state), illness(last)});
      last = state;
      d.said(state, now);
      const auto shown = d.instead(now).value_or(state);
      REQUIRE(illness(shown) >= illness(state));
      REQUIRE(illness(shown) <= std::max(worst, 0));
      REQUIRE_FALSE(d.instead(changed + flap_damper::steady));
      REQUIRE(d.due(now).has_value() == d.instead(now).has_value());
    }
  }
}
