// When a bundle is looked after next, and which commits are removed: pure decisions, whole lives of them.
#include "bundle/follow_plan.hpp"
#include "bundle/retention.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <set>

using namespace corbel::detail;
using namespace std::chrono_literals;

TEST_CASE("followed: every interval, a tenth around it") {
  follow_plan plan;
  plan.configure({.interval = 10s});
  CHECK(plan.succeeded(0.5) == 10'000ms);
  CHECK(plan.succeeded(0.0) == 9'000ms);
  CHECK(plan.succeeded(0.999) > 10'900ms);
  CHECK(plan.called_off(0.5) == 10'000ms);
  follow_plan unfollowed;
  CHECK_FALSE(unfollowed.called_off(0.5));
  unfollowed.configure({});
  CHECK_FALSE(unfollowed.succeeded(0.5));
}

TEST_CASE("failures: ever later up to the most, forgotten by success and by a new configuration") {
  follow_plan plan;
  plan.configure({.interval = 1s, .first = 5s, .most = 60s});
  for (auto expected : {5'000ms, 10'000ms, 20'000ms, 40'000ms, 60'000ms, 60'000ms})
    CHECK(plan.failed(true, false, 0.5) == expected);
  plan.succeeded(0.5);
  CHECK(plan.failed(true, false, 0.5) == 5'000ms);
  plan.configure({.interval = 1s, .first = 5s, .most = 60s});
  CHECK(plan.failures() == 0);
  // Never sooner than the schedule.
  follow_plan slow;
  slow.configure({.interval = 600s, .first = 5s, .most = 60s});
  CHECK(slow.failed(true, false, 0.5) == 600'000ms);
}

TEST_CASE("what is not followed is tried again only while there is nothing to serve, and when it may help") {
  follow_plan plan;
  plan.configure({});
  CHECK_FALSE(plan.failed(true, false, 0.5));
  CHECK_FALSE(plan.failed(false, true, 0.5));
  CHECK(plan.failed(true, true, 0.5));
}

namespace {

using moment = std::chrono::system_clock::time_point;
const moment now{1'000'000s};

kept_commit commit(std::string name, std::chrono::seconds unused, std::uint64_t bytes = 1, bool pinned = false) {
  return {std::move(name), now - unused, bytes, pinned};
}

}  // namespace

TEST_CASE("the last used are kept, the longest unused go first") {
  CHECK(plan_retention({commit("a", 500s), commit("b", 400s), commit("c", 300s), commit("d", 200s)}, {.keep = 2}, now) ==
        std::vector<std::string>{"a", "b"});
  CHECK(plan_retention({commit("a", 500s, 1, true), commit("b", 400s), commit("c", 300s)}, {.keep = 1}, now) ==
        std::vector<std::string>{"b"});
  CHECK(plan_retention({commit("a", 500s), commit("b", 10s)}, {.keep = 0}, now) == std::vector<std::string>{"a"});
  CHECK(plan_retention({commit("a", 5000s), commit("b", 400s)}, {.keep = 9, .age = 1000s}, now) ==
        std::vector<std::string>{"a"});
  CHECK(plan_retention({commit("a", 500s, 60), commit("b", 400s, 60), commit("c", 300s, 60)}, {.keep = 9, .bytes = 120},
                       now) == std::vector<std::string>{"a"});
}

TEST_CASE("a clock that was set back protects nothing for ever") {
  CHECK(plan_retention({commit("a", -86'400s)}, {.keep = 0}, now) == std::vector<std::string>{"a"});
  CHECK(plan_retention({commit("a", -5s)}, {.keep = 0}, now).empty());
}

TEST_CASE("random lives: never what is pinned or just used, never more than needed") {
  for (unsigned seed = 0; seed < 20'000; ++seed) {
    std::mt19937 random(seed);
    std::vector<kept_commit> all;
    for (unsigned i = 0, n = random() % 12; i < n; ++i)
      all.push_back(
          commit(std::to_string(i), std::chrono::seconds(random() % 3000) - 20s, random() % 100, random() % 4 == 0));
    const retention_policy policy{.keep = static_cast<std::uint32_t>(random() % 5),
                                  .age = std::chrono::seconds(random() % 2 * 1500),
                                  .bytes = random() % 2 * 200};
    const auto removed = plan_retention(all, policy, now);
    const std::set<std::string> gone(removed.begin(), removed.end());
    std::uint64_t left = 0, bytes = 0;
    CAPTURE(seed);
    REQUIRE(gone.size() == removed.size());
    for (const auto &c : all) {
      const bool is_gone = gone.contains(c.name);
      if (c.pinned || now - c.used < policy.grace) REQUIRE_FALSE(is_gone);
      if (is_gone) continue;
      bytes += c.bytes;
      const bool may_go = !c.pinned && now - c.used >= policy.grace;
      left += may_go;
      if (may_go && policy.age > 0s) REQUIRE(now - c.used <= policy.age);
    }
    const auto recent = static_cast<std::uint64_t>(
        std::ranges::count_if(all, [&](const auto &c) { return !c.pinned && now - c.used < policy.grace; }));
    REQUIRE((left + recent <= policy.keep || left == 0));
    if (policy.bytes > 0 && left > 0) REQUIRE(bytes <= policy.bytes);
  }
}
