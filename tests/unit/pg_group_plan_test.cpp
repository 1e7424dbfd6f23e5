#include "postgres/group_plan.hpp"
#include "postgres/share_plan.hpp"

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using corbel::detail::group_plan;
using corbel::detail::share_plan;

namespace {

/// Answers groups until a measurement has ended: a statement takes `all` with all connections, `few` with few.
void measure(group_plan &p, group_plan::duration all, group_plan::duration few) {
  const auto each = p.few_connections() ? few : all;
  for (std::uint32_t i = 0; i < group_plan::skipped + group_plan::window; ++i) p.answered(8, 8 * each);
}

}  // namespace

TEST_CASE("few connections are tried, and kept where they halve a statement's time") {
  group_plan p;
  CHECK_FALSE(p.few_connections());
  measure(p, 50us, 20us);
  CHECK(p.few_connections());
  for (int i = 0; i < 1000; ++i) {
    measure(p, 50us, 20us);
    REQUIRE(p.few_connections());
  }
  measure(p, 50us, 30us);  // they have become slow
  CHECK_FALSE(p.few_connections());
}

TEST_CASE("slow statements get all connections, and a try that does not help is repeated ever more rarely") {
  group_plan p;
  std::uint32_t tries = 0, rest = 0, longest = 0;
  for (std::uint32_t i = 0; i < 50000; ++i) {
    const bool tried = p.few_connections();
    measure(p, 1ms, 1ms);
    if (tried) {
      CHECK_FALSE(p.few_connections());
      ++tries;
      longest = std::max(longest, rest);
      rest = 0;
    } else {
      ++rest;
    }
  }
  CHECK(longest == group_plan::longest_rest);
  CHECK(tries < 20);
  CHECK(tries > 10);
}

TEST_CASE("a single statement says nothing of groups") {
  share_plan p;
  const auto a = p.join();
  share_plan::time now{};
  for (std::uint32_t i = 0; i < 10 * group_plan::window; ++i) {
    p.sent(a, now);
    p.answered(a, 1, 0, now += 1us);
    REQUIRE(p.pick_group() == share_plan::none);
  }
}

TEST_CASE("a group is made larger, up to a bound, once a few connections are in use; never on one that takes no more") {
  share_plan p;
  const share_plan::time start{};
  share_plan::slot s[6];
  for (auto &slot : s) slot = p.join();
  for (std::uint32_t i = 0; i < group_plan::skipped + group_plan::window; ++i) {
    p.sent(s[0], start);
    p.sent(s[0], start);
    p.answered(s[0], 2, 0, start + 100us);
  }
  for (std::uint32_t i = 0; i < group_plan::few; ++i) {
    CHECK(p.pick_group() == share_plan::none);
    p.sent(s[i], start);
  }
  p.sent(s[1], start);
  for (std::uint32_t i = 2; i < group_plan::large; ++i) {
    CHECK(p.pick_group() == s[1]);  // the largest with room
    p.sent(s[1], start);
  }
  CHECK(p.pick_group() == s[0]);
  p.abandon(s[0]);
  CHECK(p.pick_group() == s[2]);
  p.close(s[2]);
  p.close(s[3]);
  CHECK(p.pick_group() == share_plan::none);
  CHECK(p.pick() == s[4]);
}
