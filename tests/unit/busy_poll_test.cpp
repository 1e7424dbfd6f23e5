#include "io/busy_poll.hpp"

#include <doctest/doctest.h>

#include <random>

using corbel::detail::busy_poll;

TEST_CASE("only a few unanswered commands are polled for") {
  busy_poll p;
  CHECK_FALSE(p.worth_it(0));
  CHECK(p.worth_it(1));
  CHECK(p.worth_it(busy_poll::most_unanswered));
  CHECK_FALSE(p.worth_it(busy_poll::most_unanswered + 1));
}

TEST_CASE("while it succeeds it goes on") {
  busy_poll p;
  for (int i = 0; i < 1000; ++i) {
    REQUIRE(p.worth_it(1));
    p.succeeded();
  }
}

TEST_CASE("a far server is hardly ever polled for") {
  busy_poll p;
  unsigned polled = 0;
  for (int i = 0; i < 100'000; ++i)
    if (p.worth_it(1)) {
      ++polled;
      p.failed();
    }
  CHECK(polled < 40);
  CHECK(polled > 20);  // but never given up
}

TEST_CASE("after a far server has become a near one, polling comes back") {
  busy_poll p;
  for (int i = 0; i < 100'000; ++i)
    if (p.worth_it(1)) p.failed();
  unsigned polled = 0;
  for (int i = 0; i < 10'000; ++i)
    if (p.worth_it(1)) {
      ++polled;
      p.succeeded();
    }
  CHECK(polled > 5000);
}

TEST_CASE("failing as often as succeeding costs at most a bounded share of reads") {
  std::mt19937 random(7);
  busy_poll p;
  unsigned failed = 0, reads = 100'000;
  for (unsigned i = 0; i < reads; ++i)
    if (p.worth_it(1)) {
      if (random() % 10 == 0) {
        p.succeeded();
      } else {
        p.failed();
        ++failed;
      }
    }
  CHECK(failed < reads / 20);
}
