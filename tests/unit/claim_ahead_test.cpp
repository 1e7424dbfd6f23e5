/// What is claimed before anybody waits for it: by the speed of the work, or by a claim that waits at the server.

#include "queue/claim_plan.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <tuple>

using corbel::detail::claim_plan;

TEST_CASE("fast work claims ahead what it does in 2 ms, up to its concurrency; slow work nothing") {
  using namespace std::chrono_literals;
  const claim_plan::clock::time_point start{};
  for (const auto &[worked, time, ahead] : {std::tuple(200u, 10'000us, 40u), std::tuple(200u, 2'000us, 64u),
                                            std::tuple(60u, 10'000us, 0u), std::tuple(200u, 1'000us, 0u)}) {
    CAPTURE(worked);
    claim_plan plan(64, 0, true);
    plan.measure(start + 1h);
    for (std::uint32_t i = 0; i < worked; ++i) {  // one after the other
      plan.taker_came();
      REQUIRE(plan.next().claim == 1);
      plan.claim_answered(1, 1000, false);
      REQUIRE(plan.next().deliver == 1);
      plan.settled();
    }
    plan.measure(start + 1h + time);
    plan.taker_came();
    const auto claim = std::min(1 + ahead, 64u);
    CHECK(plan.next().claim == claim);
    plan.claim_answered(claim, 1000, false);
    CHECK(plan.next().deliver == 1);
    CHECK(plan.has_ahead() == (ahead > 0));
    plan.measure(start + 2h);  // it became slow: what is there stays, and no more is claimed
    auto a = plan.next();
    CHECK(a.hand_back == 0);
    CHECK(a.claim == 0);
    plan.stalled();
    CHECK(plan.next().hand_back == claim - 1);
    CHECK_FALSE(plan.has_ahead());
  }
}

TEST_CASE("a prefetch that was asked for is the one, whatever the speed") {
  using namespace std::chrono_literals;
  claim_plan plan(64, 2, true);
  plan.measure(claim_plan::clock::time_point() + 1h);
  for (int i = 0; i < 1000; ++i) {
    plan.taker_came();
    if (auto a = plan.next(); a.claim > 0) plan.claim_answered(a.claim, 1000, false), plan.next();
    plan.settled();
  }
  plan.measure(claim_plan::clock::time_point() + 1h + 2ms);
  CHECK_FALSE(plan.has_ahead());
  plan.stalled();
  CHECK(plan.next().hand_back == 0);
}

TEST_CASE("a claim that is sent ahead counts as under way, until it is answered or given up") {
  claim_plan plan(16, 0);
  CHECK(plan.arm() == 0);  // nobody waits
  for (int i = 0; i < 12; ++i) plan.taker_came();
  CHECK(plan.next().claim == 12);
  CHECK(plan.arm() == 0);  // one claim at a time
  plan.claim_answered(0, 0, false);
  CHECK(plan.next().then == claim_plan::rest::till_woken);
  CHECK(plan.arm() == claim_plan::most_armed);
  plan.woken();
  auto a = plan.next();
  CHECK(a.claim == 0);
  CHECK(a.then == claim_plan::rest::none);
  CHECK_FALSE(plan.is_armed_for_nobody());
  plan.claim_answered(8, 3, false);
  a = plan.next();
  CHECK(a.deliver == 8);
  CHECK(a.claim == 4);
  plan.claim_answered(3, 0, false);
  CHECK(plan.next().deliver == 3);
  CHECK(plan.arm() == 1);
  plan.taker_left();
  CHECK(plan.is_armed_for_nobody());
  plan.claim_failed(true);
  CHECK_FALSE(plan.is_armed_for_nobody());
  plan.taker_came();
  CHECK(plan.next().claim == 1);
}

TEST_CASE("while work is fast, a claim that is sent ahead takes for those too who will wait by then") {
  using namespace std::chrono_literals;
  const auto start = claim_plan::clock::time_point() + 1h;
  claim_plan plan(64, 0, true);
  plan.measure(start);
  for (int i = 0; i < 200; ++i) {
    plan.taker_came();
    if (auto a = plan.next(); a.claim > 0) plan.claim_answered(a.claim, 0, false), plan.next();
    plan.settled();
    plan.woken();
  }
  plan.measure(start + 10ms);  // 40 in 2 ms
  plan.taker_came();
  CHECK(plan.arm() == 41);
  plan.claim_answered(41, 0, false);
  auto a = plan.next();
  CHECK(a.deliver == 1);
  CHECK(a.hand_back == 0);
  for (int i = 0; i < 40; ++i) plan.taker_came();
  CHECK(plan.next().deliver == 40);

  plan.measure(start + 1h);  // nothing was worked since
  plan.taker_came();
  CHECK(plan.arm() == 1);
}
