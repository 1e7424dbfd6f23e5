#include "pool/ledger.hpp"

#include <doctest/doctest.h>

#include <random>

using corbel::detail::ledger;
using answer = ledger::answer;

TEST_CASE("a cap of one is kept for the pipeline") {
  ledger l({1, 10});
  CHECK(l.add_pipeline());
  CHECK(l.want_lease() == answer::never);
  CHECK_FALSE(l.add_subscription());
  CHECK_FALSE(l.add_pipeline());
}

TEST_CASE("the pipeline's slot is kept even before it is opened") {
  ledger l({2, 10});
  CHECK(l.want_lease() == answer::open);
  CHECK(l.want_lease() == answer::wait);
  CHECK_FALSE(l.add_subscription());
  CHECK(l.add_pipeline());
  CHECK(l.now().total() == 2);
}

TEST_CASE("a returned connection goes to the first waiter, without one it is idle and taken again") {
  ledger l({3, 10});
  REQUIRE(l.add_pipeline());
  REQUIRE(l.want_lease() == answer::open);
  CHECK(l.opened());
  CHECK(l.now().leased == 1);
  CHECK_FALSE(l.returned());
  CHECK(l.now().idle == 1);
  CHECK(l.want_lease() == answer::take_idle);
  CHECK(l.want_lease() == answer::open);
  CHECK(l.want_lease() == answer::wait);
  CHECK(l.returned());
  CHECK(l.now().waiting == 1);
}

TEST_CASE("more waiters than allowed are refused") {
  ledger l({2, 2});
  REQUIRE(l.add_pipeline());
  CHECK(l.want_lease() == answer::open);
  CHECK(l.want_lease() == answer::wait);
  CHECK(l.want_lease() == answer::refuse);
}

TEST_CASE("unbounded opens for everyone") {
  ledger l({CORBEL_UNBOUNDED, CORBEL_UNBOUNDED});
  REQUIRE(l.add_pipeline());
  for (int i = 0; i < 1000; ++i) CHECK(l.want_lease() == answer::open);
  CHECK(l.text().find("of unbounded connections") != std::string::npos);
}

TEST_CASE("the text names every count") {
  ledger l({8, 10});
  REQUIRE(l.add_pipeline());
  REQUIRE(l.add_subscription());
  REQUIRE(l.want_lease() == answer::open);
  CHECK(l.text() == "3 of 8 connections: 1 pipeline, 1 subscription, 0 leased, 0 idle; 1 opening, 1 waiting");
}

TEST_CASE("five thousand random schedules: the cap holds, a slot stays for the pipeline, no waiter is forgotten") {
  std::mt19937 random(11);
  auto pick = [&](unsigned n) { return std::uniform_int_distribution<unsigned>(0, n - 1)(random); };
  for (int schedule = 0; schedule < 5000; ++schedule) {
    const std::uint32_t cap = 1 + pick(6);
    ledger l({cap, 1 + pick(5)});
    for (int step = 0; step < 60; ++step) {
      const auto before = l.now();
      switch (pick(10)) {
        case 0:
          (void)l.add_pipeline();
          break;
        case 1:
          (void)l.add_subscription();
          break;
        case 2:
          if (before.pipelines > 1) l.remove_pipeline();
          break;
        case 3:
          if (before.subscriptions != 0) l.remove_subscription();
          break;
        case 4:
          if (before.opening != 0) CHECK(l.opened() == (before.waiting != 0));
          break;
        case 5:
          if (before.opening != 0) l.open_failed();
          break;
        case 6:
          if (before.leased != 0) CHECK(l.returned() == (before.waiting != 0));
          break;
        case 7:
          if (before.leased != 0) l.discarded();
          break;
        case 8:
          if (before.waiting != 0) l.gave_up_waiting();
          break;
        default:
          (void)l.want_lease();
          break;
      }
      while (pick(2) == 0 && l.try_open()) {
      }
      const auto &c = l.now();
      CHECK(c.total() <= cap);
      if (c.pipelines == 0) CHECK(c.total() < cap);
      // Whoever waits has something to wait for: an opening, a lease that comes back, or a full pool.
      if (c.waiting > c.opening + c.idle && l.try_open()) CHECK(l.now().opening == c.opening);
    }
  }
}

TEST_CASE("without a slot kept for a pipeline, connections change between idle, leased and shared") {
  ledger l({1, 10, 0, false});
  REQUIRE(l.want_lease() == answer::open);
  CHECK(l.opened());
  CHECK(l.want_lease() == answer::wait);
  l.settle_to_share(ledger::from::leased);
  CHECK(l.now().pipelines == 1);
  CHECK(l.settle(ledger::from::pipeline));
  CHECK_FALSE(l.returned());
  l.share_idle();
  l.gone(ledger::from::pipeline);
  CHECK(l.now().total() == 0);
  CHECK(l.try_open(1));
  CHECK_FALSE(l.try_open(1));
}

TEST_CASE("kept warm to min_size; limits change live") {
  ledger l({5, 10, 2, false});
  CHECK(l.try_warm());
  CHECK(l.try_warm());
  CHECK_FALSE(l.try_warm());
  CHECK_FALSE(l.opened());
  CHECK_FALSE(l.opened());
  CHECK_FALSE(l.may_shrink());
  l.set_limits({1, 10, 0, false});
  CHECK(l.is_over());
  CHECK(l.may_shrink());
  CHECK(l.want_lease() == answer::take_idle);
  CHECK_FALSE(l.try_open(5));
  l.idle_closed();
  CHECK_FALSE(l.is_over());
}
