#include "health/roll_up.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

using namespace corbel;
using namespace corbel::detail;
using namespace std::chrono_literals;

namespace {
constexpr auto unknown = health_state::unknown, ok = health_state::ok, degraded = health_state::degraded,
               down = health_state::down, saturated = health_state::saturated, stale = health_state::stale;

health_instant at(std::chrono::milliseconds t) {
  return {std::chrono::steady_clock::time_point(1h) + t, std::chrono::system_clock::time_point(2h) + t};
}

/// Reported at 0, in this state since an hour before.
health_entry entry(std::string part, health_state state, bool required, std::string reason = "",
                   std::chrono::milliseconds fresh_for = 0ms) {
  return {{std::move(part), state, std::move(reason), required, fresh_for}, at(0ms), at(-1h).wall};
}

struct row {
  std::vector<health_entry> parts;
  health_state state;
  std::string because;
};
}  // namespace

TEST_CASE("the whole out of its parts") {
  for (auto &r : std::vector<row>{
           {{}, unknown, "no part has reported yet"},
           {{entry("a", unknown, false)}, unknown, "no part has reported yet"},
           {{entry("a", ok, false)}, ok, ""},
           {{entry("a", ok, true)}, ok, ""},
           {{entry("a", ok, true, "all is well")}, ok, ""},
           {{entry("a", ok, true), entry("b", unknown, false)}, ok, ""},
           {{entry("a", saturated, true, "8 of 8"), entry("b", ok, true)}, saturated, "a: 8 of 8"},
           {{entry("a", saturated, false), entry("b", ok, true)}, saturated, "a: saturated"},
           {{entry("a", saturated, true), entry("b", degraded, false, "slow")}, degraded, "b: slow"},
           {{entry("a", ok, true), entry("b", degraded, false, "slow")}, degraded, "b: slow"},
           {{entry("a", ok, true), entry("b", down, false, "gone")}, degraded, "b: gone"},
           {{entry("a", down, false, "gone")}, degraded, "a: gone"},
           {{entry("a", ok, true), entry("b", down, true, "gone")}, down, "b: gone"},
           {{entry("a", unknown, true), entry("b", ok, true)}, unknown, "a: unknown"},
           {{entry("a", unknown, true, "connecting"), entry("b", degraded, true, "slow")}, unknown, "a: connecting"},
           {{entry("a", unknown, true), entry("b", down, true)}, down, "b: down"},
           {{entry("a", unknown, true, "connecting"), entry("b", down, false)}, unknown, "a: connecting"},
           {{entry("a", degraded, false, "x"), entry("b", degraded, true, "y")}, degraded, "b: y"},
           {{entry("b", down, true, "y"), entry("a", down, true, "x")}, down, "a: x"},
           {{entry("a", down, false, "x"), entry("b", degraded, true)}, degraded, "b: degraded"},
       }) {
    auto summary = roll_up(r.parts, at(10s));
    INFO("because: " << r.because);
    CHECK(summary.state == r.state);
    CHECK(summary.because == r.because);
    CHECK(summary.parts.size() == r.parts.size());
  }
}

TEST_CASE("a part that is silent for too long") {
  auto late = [](health_state said, bool required, std::chrono::milliseconds now, const std::string &reason = "") {
    return roll_up(std::vector{entry("a", said, required, reason, 5s)}, at(now)).parts.at(0);
  };
  CHECK(late(ok, true, 5s).state == ok);
  CHECK(late(ok, true, 5s).reason == "");
  CHECK(late(ok, true, 5001ms).state == stale);
  CHECK(late(ok, false, 5001ms).state == stale);
  CHECK(late(unknown, false, 6s).state == stale);
  CHECK(late(unknown, true, 6s).state == stale);
  CHECK(late(down, false, 6s).state == down);  // silence makes nothing better
  CHECK(late(degraded, true, 6s).state == stale);
  CHECK(late(ok, true, 12345ms).reason == "nothing was reported for 12.3 s, it should be within 5.0 s");
  CHECK(late(ok, true, 3h).reason == "nothing was reported for 10800 s, it should be within 5.0 s");
  CHECK(late(degraded, true, 7s, "slow").reason ==
        "nothing was reported for 7.0 s, it should be within 5.0 s; before that: slow");
  CHECK(late(ok, true, 9s).since == at(5s).wall);
  CHECK(late(down, true, 9s).since == at(-1h).wall);  // the state is what it was
  CHECK(late(ok, true, -1s).state == ok);             // reported while the clock was read

  auto summary = roll_up(std::vector{entry("a", ok, true), entry("b", ok, true, "", 1s)}, at(2s));
  CHECK(summary.state == stale);
  CHECK_FALSE(summary.ready);
  CHECK(summary.because == "b: nothing was reported for 2.0 s, it should be within 1.0 s");
}

TEST_CASE("whatever the parts: order does not matter, the reason is a part's, and worse parts make nothing better") {
  // From the best to the worst that a required part can say.
  const auto rank = illness;
  const health_state states[] = {ok, saturated, degraded, unknown, down};
  std::mt19937 random(5);
  for (int round = 0; round < 5000; ++round) {
    std::vector<health_entry> parts;
    for (auto n = 1 + random() % 6; n > 0; --n) {
      auto part = entry("part" + std::to_string(n), states[random() % 5], random() % 2, random() % 2 ? "why" : "",
                        std::chrono::seconds(random() % 4));
      part.reported = at(std::chrono::seconds(random() % 10));
      parts.push_back(part);
    }
    auto now = at(10s);
    auto summary = roll_up(parts, now);
    auto shuffled = parts;
    std::shuffle(shuffled.begin(), shuffled.end(), random);
    auto again = roll_up(shuffled, now);
    REQUIRE(again.state == summary.state);
    REQUIRE(again.because == summary.because);
    REQUIRE(std::is_sorted(summary.parts.begin(), summary.parts.end(), [](auto &a, auto &b) { return a.part < b.part; }));

    int worst = -1;
    bool any_known = false, optional_trouble = false, optional_full = false;
    for (auto &p : summary.parts) {
      if (p.required) worst = std::max(worst, rank(p.state));
      any_known = any_known || p.state != unknown || p.required;
      optional_trouble = optional_trouble || (!p.required && (p.state == degraded || p.state == down || p.state == stale));
      optional_full = optional_full || (!p.required && p.state == saturated);
    }
    if (optional_full) worst = std::max(worst, rank(saturated));
    if (optional_trouble) worst = std::max(worst, rank(degraded));
    REQUIRE(rank(summary.state) == (any_known ? std::max(worst, 0) : rank(unknown)));
    REQUIRE(summary.because.empty() == (summary.state == ok));
    REQUIRE(summary.ready == (rank(summary.state) <= rank(degraded)));
    REQUIRE_FALSE(roll_up(parts, now, true).ready);
    if (any_known && summary.state != ok) {
      REQUIRE(std::any_of(summary.parts.begin(), summary.parts.end(), [&](auto &p) {
        return summary.because == p.part + ": " + (p.reason.empty() ? health_state_name(p.state) : p.reason);
      }));
    }
    auto &victim = parts[random() % parts.size()];
    if (victim.report.state == unknown) continue;  // an optional part that speaks at all may be better news than silence
    victim.report.state = down;
    REQUIRE(rank(roll_up(parts, now).state) >= rank(summary.state));
  }
}

TEST_CASE("ready and alive say why not") {
  auto vital = entry("runtime", ok, true, "", 5s);
  vital.report.vital = true;
  auto good = roll_up(std::vector{vital}, at(1s));
  CHECK((good.ready && good.alive && good.why_not_ready.empty() && good.why_not_alive.empty()));
  auto held = roll_up(std::vector{vital, entry("redis:main", down, true, "gone")}, at(6s));
  CHECK_FALSE(held.ready);
  CHECK_FALSE(held.alive);
  CHECK(held.why_not_ready == "redis:main: gone");
  CHECK(held.why_not_alive == "runtime: nothing was reported for 6.0 s, it should be within 5.0 s");
  auto drained = roll_up(std::vector{vital}, at(1s), true);
  CHECK((!drained.ready && drained.alive && drained.state == ok));
  CHECK(drained.why_not_ready == "it drains");
  CHECK(roll_up(std::vector<health_entry>{}, at(0s)).why_not_ready == "no part has reported yet");
}

TEST_CASE("when the summary changes by itself") {
  CHECK_FALSE(next_due(std::vector{entry("a", ok, true)}, at(1s)));
  CHECK(next_due(std::vector{entry("a", ok, true, "", 5s), entry("b", ok, false, "", 3s)}, at(1s)) == at(3001ms).steady);
  CHECK_FALSE(next_due(std::vector{entry("a", ok, true, "", 5s)}, at(6s)));  // it is stale already
}
