/// Another concurrency while a consumer runs.

#include "queue/claim_plan.hpp"

#include <doctest/doctest.h>

#include <chrono>

using corbel::detail::claim_plan;

TEST_CASE("more concurrency takes at once; with less, what is out comes to its end and nothing is claimed before") {
  claim_plan plan(1, 0);
  for (int i = 0; i < 4; ++i) plan.taker_came();
  CHECK(plan.next().claim == 1);
  plan.claim_answered(1, 9, false);
  auto a = plan.next();
  CHECK(a.deliver == 1);
  CHECK(a.then == claim_plan::rest::none);
  plan.set_concurrency(3);
  CHECK(plan.next().claim == 2);
  plan.set_concurrency(2);  // while a claim of more is under way
  plan.claim_answered(2, 9, false);
  a = plan.next();
  CHECK(a.deliver == 1);
  CHECK(a.hand_back == 1);
  plan.set_concurrency(1);
  plan.settled();
  a = plan.next();
  CHECK(a.claim == 0);
  CHECK(a.then == claim_plan::rest::none);
  plan.settled();
  CHECK(plan.next().claim == 1);
}

TEST_CASE("prefetch stays beside another concurrency, and what was claimed ahead by the speed keeps below it") {
  using namespace std::chrono_literals;
  claim_plan asked(4, 2);
  CHECK(asked.next().claim == 2);
  asked.claim_answered(2, 9, false);
  asked.set_concurrency(1);
  CHECK(asked.next().hand_back == 0);

  claim_plan fast(64, 0, true);
  fast.measure(claim_plan::clock::time_point() + 1h);
  for (int i = 0; i < 200; ++i) {
    fast.taker_came();
    if (auto a = fast.next(); a.claim > 0) fast.claim_answered(a.claim, 1000, false), fast.next();
    fast.settled();
  }
  fast.measure(claim_plan::clock::time_point() + 1h + 2ms);
  fast.taker_came();
  CHECK(fast.next().claim == 64);
  fast.claim_answered(64, 1000, false);
  fast.set_concurrency(8);
  auto a = fast.next();
  CHECK(a.deliver == 1);
  CHECK(a.hand_back == 55);
}

TEST_CASE("a claim that is sent ahead is not wanted where no more may be out") {
  claim_plan plan(2, 0);
  for (int i = 0; i < 2; ++i) plan.taker_came();
  CHECK(plan.next().claim == 2);
  plan.claim_answered(1, 0, false);
  CHECK(plan.next().deliver == 1);
  CHECK(plan.arm() == 1);
  plan.set_concurrency(1);
  CHECK(plan.is_armed_for_nobody());
  plan.set_concurrency(2);
  CHECK_FALSE(plan.is_armed_for_nobody());
}
