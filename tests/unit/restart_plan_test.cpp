#include "base/restart_plan.hpp"

#include <doctest/doctest.h>

#include <random>

using corbel::detail::restart_plan;
using namespace std::chrono_literals;
using moment = restart_plan::clock::time_point;

TEST_CASE("the first death is mended at once, the following ever later, up to ten seconds") {
  restart_plan plan;
  moment now{};
  std::chrono::milliseconds expected[] = {0ms, 100ms, 200ms, 400ms, 800ms, 1600ms, 3200ms, 6400ms, 10000ms, 10000ms};
  for (auto wait : expected) {
    plan.started(now);
    CHECK(plan.died(now += 50ms) == wait);
    now += wait;
  }
}

TEST_CASE("who has lived for a good while is started again at once") {
  restart_plan plan;
  moment now{};
  for (int i = 0; i < 10; ++i) {
    plan.started(now);
    plan.died(now);
  }
  plan.started(now);
  CHECK(plan.died(now + restart_plan::good_while) == 0ms);
  plan.started(now += 20s);
  CHECK(plan.died(now + 1ms) == 100ms);
}

TEST_CASE("whatever the schedule, waits stay within bounds and starts within a rate") {
  std::mt19937 random(5);
  for (int schedule = 0; schedule < 1000; ++schedule) {
    restart_plan plan;
    moment now{};
    int starts = 0;
    while (now < moment{} + 10min) {
      ++starts;
      plan.started(now);
      now += std::chrono::milliseconds(random() % 9000);  // never a good while
      const auto wait = plan.died(now);
      REQUIRE(wait >= 0ms);
      REQUIRE(wait <= restart_plan::most);
      now += wait;
    }
    CHECK(starts < 80);
  }
}
