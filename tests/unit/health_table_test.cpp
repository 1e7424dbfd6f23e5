#include "health/health_table.hpp"

#include <doctest/doctest.h>
#include <simdjson.h>

#include <thread>

using namespace corbel;
using namespace corbel::detail;
using namespace std::chrono_literals;

namespace {
/// A clock that the test sets.
struct hand_clock {
  std::chrono::milliseconds now{0};
  health_table::clock_function function() {
    return [this] {
      return health_instant{std::chrono::steady_clock::time_point(1h) + now,
                            std::chrono::system_clock::time_point(0h) + now};
    };
  }
};
auto wall(std::chrono::milliseconds t) { return std::chrono::system_clock::time_point(t); }
}  // namespace

TEST_CASE("a report takes the place of the last; since moves with the state only") {
  hand_clock clock;
  health_table table(clock.function());
  CHECK(table.summary().state == health_state::unknown);
  table.set({"redis:main", health_state::unknown, "connecting", true});
  clock.now = 1s;
  table.set({"redis:main", health_state::ok, "", true});
  clock.now = 2s;
  table.set({"redis:main", health_state::ok, "still", true});
  auto part = table.summary().parts.at(0);
  CHECK(part.since == wall(1s));
  CHECK(part.reason == "still");
  clock.now = 3s;
  table.set({"redis:main", health_state::down, "connection refused", true});
  auto summary = table.summary();
  CHECK(summary.parts.size() == 1);
  CHECK(summary.parts[0].since == wall(3s));
  CHECK(summary.state == health_state::down);
  CHECK(summary.because == "redis:main: connection refused");
}

TEST_CASE("freshness goes by the last report") {
  hand_clock clock;
  health_table table(clock.function());
  table.set({.part = "queue", .state = health_state::ok, .required = true, .fresh_for = 2s});
  clock.now = 2s;
  CHECK(table.summary().state == health_state::ok);
  table.set({.part = "queue", .state = health_state::ok, .required = true, .fresh_for = 2s});
  clock.now = 4s;
  CHECK(table.summary().state == health_state::ok);
  clock.now = 4001ms;
  auto summary = table.summary();
  CHECK(summary.state == health_state::down);
  CHECK(summary.parts[0].since == wall(4s));
  table.set({.part = "queue", .state = health_state::ok, .required = true, .fresh_for = 2s});
  CHECK(table.summary().state == health_state::ok);
  CHECK(table.summary().parts[0].since == wall(0s));  // it never said anything else
}

TEST_CASE("parts are removed by name; names and reasons are one line") {
  hand_clock clock;
  health_table table(clock.function());
  table.set({.part = "a\nb", .state = health_state::down, .reason = "first\r\nsecond\xFF"});
  table.set({.part = "c", .state = health_state::ok});
  CHECK(table.summary().because == "a b: first  second\xEF\xBF\xBD");
  table.remove("nobody");
  table.remove("a\nb");
  CHECK(table.summary().state == health_state::ok);
  CHECK(table.summary().parts.size() == 1);
}

TEST_CASE("without a clock the machine's counts") {
  auto before = std::chrono::system_clock::now();
  health_table table;
  table.set({.part = "a", .state = health_state::ok});
  auto since = table.summary().parts.at(0).since;
  CHECK(since >= before);
  CHECK(since <= std::chrono::system_clock::now());
}

TEST_CASE("reports and summaries of many threads") {
  health_table table;
  std::vector<std::thread> threads;
  threads.reserve(4);
  std::atomic<bool> torn{false};
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      auto mine = "part" + std::to_string(t);
      for (int i = 0; i < 2000; ++i) {
        auto number = std::to_string(i);
        table.set({.part = mine,
                   .state = i % 2 ? health_state::ok : health_state::down,
                   .reason = (i % 2 ? "ok" : "down") + number});
        for (auto &p : table.summary().parts)
          if (p.reason.starts_with("ok") != (p.state == health_state::ok)) torn = true;
        if (i % 100 == 99 && t == 3) table.remove(mine);
      }
    });
  for (auto &t : threads) t.join();
  CHECK_FALSE(torn);
  CHECK(table.summary().parts.size() == 3);
}

TEST_CASE("the JSON of a summary") {
  CHECK(health_json({health_state::ok, "", {}}) == R"({"state": "ok", "because": null, "parts": {}})");
  hand_clock clock;
  health_table table(clock.function());
  clock.now = 1500ms;
  table.set({.part = "redis:main", .state = health_state::down, .reason = "connection \"refused\"", .required = true});
  table.set({.part = "bundles", .state = health_state::ok});
  CHECK(
      health_json(table.summary()) ==
      R"({"state": "down", "because": "redis:main: connection \"refused\"", "parts": {)"
      R"("bundles": {"state": "ok", "reason": null, "since": "1970-01-01T00:00:01.500Z", "required": false}, )"
      R"("redis:main": {"state": "down", "reason": "connection \"refused\"", "since": "1970-01-01T00:00:01.500Z", "required": true}}})");
  simdjson::dom::parser parser;
  CHECK(parser.parse(health_json(table.summary())).error() == simdjson::SUCCESS);
}

TEST_CASE("states have names") {
  CHECK(std::string(health_state_name(health_state::unknown)) == "unknown");
  CHECK(std::string(health_state_name(health_state::ok)) == "ok");
  CHECK(std::string(health_state_name(health_state::degraded)) == "degraded");
  CHECK(std::string(health_state_name(health_state::down)) == "down");
  CHECK(std::string(health_state_name(static_cast<health_state>(77))) == "unknown");
}
