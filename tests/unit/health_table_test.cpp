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
  CHECK(summary.state == health_state::stale);
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
  CHECK(health_json({.state = health_state::ok, .because = "", .ready = true}) ==
        R"({"state": "ok", "because": null, "ready": true, "alive": true, "draining": false, "parts": {}})");
  hand_clock clock;
  health_table table(clock.function());
  clock.now = 1500ms;
  table.set({.part = "redis:main", .state = health_state::down, .reason = "connection \"refused\"", .required = true});
  table.set({.part = "bundles", .state = health_state::ok});
  CHECK(health_json(table.summary()) ==
        R"({"state": "down", "because": "redis:main: connection \"refused\"", )"
        R"("ready": false, "alive": true, "draining": false, "parts": {)"
        R"("bundles": {"state": "ok", "reason": null, "since": "1970-01-01T00:00:01.500Z", )"
        R"("last_good": "1970-01-01T00:00:01.500Z", "required": false}, )"
        R"("redis:main": {"state": "down", "reason": "connection \"refused\"", "since": "1970-01-01T00:00:01.500Z", )"
        R"("last_good": null, "required": true}}})");
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

TEST_CASE("changes are told once each, the whole's with its readiness") {
  hand_clock clock;
  health_table table(clock.function());
  std::vector<health_change> told;
  std::optional<std::chrono::steady_clock::time_point> due;
  table.on_change([&](std::vector<health_change> changes, auto next) {
    told.insert(told.end(), changes.begin(), changes.end());
    due = next;
  });
  table.set({.part = "a", .state = health_state::ok, .required = true, .fresh_for = 2s});
  REQUIRE(told.size() == 2);
  CHECK((told[0].part == "a" && told[0].before == health_state::unknown && told[0].state == health_state::ok));
  CHECK((told[1].part == "" && told[1].ready));
  REQUIRE(due);
  table.set({.part = "a", .state = health_state::ok, .reason = "again", .required = true, .fresh_for = 2s});
  CHECK(told.size() == 2);
  clock.now = 2001ms;
  table.review();
  REQUIRE(told.size() == 4);
  CHECK(told[2].state == health_state::stale);
  CHECK_FALSE(told[3].ready);
  CHECK_FALSE(due);
  table.set({.part = "a", .state = health_state::ok, .required = true});
  table.set_draining(true);
  CHECK_FALSE(told.back().ready);
  CHECK(told.back().reason == "it drains");
  CHECK(table.changes().at("a") == 3);
  table.set({.part = "b", .state = health_state::stale});
  CHECK(table.summary().parts.at(1).state == health_state::unknown);  // only the table says stale
}

TEST_CASE("the view for those who ask often: the same until a report, a drain or time changes it") {
  hand_clock clock;
  health_table table(clock.function());
  table.set({.part = "queue", .state = health_state::ok, .required = true, .fresh_for = 2s});
  const auto first = table.view();
  CHECK(first->json == health_json(table.summary()));
  clock.now = 99ms;
  CHECK(table.view() == first);
  clock.now = 100ms;
  CHECK(table.view() != first);
  table.set({.part = "queue", .state = health_state::down, .reason = "gone", .required = true});
  CHECK_FALSE(table.view()->summary.ready);
  table.set({.part = "queue", .state = health_state::ok, .required = true, .fresh_for = 50ms});
  CHECK(table.view()->summary.ready);
  clock.now = 150ms;
  CHECK(table.view()->summary.ready);
  clock.now = 151ms;  // within 100 ms of the last view, and stale
  CHECK_FALSE(table.view()->summary.ready);
  table.remove("queue");
  table.set({.part = "disk", .state = health_state::ok});
  CHECK(table.view()->summary.ready);
  table.set_draining(true);
  CHECK(table.view()->json == health_json(table.summary()));
  CHECK_FALSE(table.view()->summary.ready);
}
