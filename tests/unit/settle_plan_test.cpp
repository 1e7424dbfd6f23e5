#include "queue/settle_plan.hpp"

#include <doctest/doctest.h>

using corbel::error;
using corbel::settle;
using corbel::status;
using corbel::detail::settle_plan;
using namespace std::chrono_literals;

namespace {
const settle_plan::clock::time_point start{};
settle_plan plan_of(settle how) { return settle_plan(how, "m1", start, start + 5s); }
error lost() {
  return error(status::lost, "connection lost", "redis", "ECONNRESET", error::maybe_applied | error::retriable);
}
error unavailable() { return error(status::unavailable, "cannot connect", "redis", "ECONNREFUSED", error::retriable); }
bool held(const settle_plan::decision &d) { return d.ended && d.ended->has_value() && **d.ended; }
bool refused(const settle_plan::decision &d) { return d.ended && d.ended->has_value() && !**d.ended; }
}  // namespace

TEST_CASE("the first answer counts as it is") {
  for (auto how : {settle::done, settle::retry, settle::bury, settle::hand_back}) {
    CHECK(held(plan_of(how).answered(1)));
    CHECK(refused(plan_of(how).answered(0)));
  }
  CHECK(refused(plan_of(settle::done).answered(-1)));
}

TEST_CASE("after a try of unknown fate a message that is gone was settled by it") {
  auto done = plan_of(settle::done);
  CHECK_FALSE(done.failed(lost(), start + 1s).ended);
  CHECK(held(done.answered(-1)));
  auto taken = plan_of(settle::done);
  CHECK_FALSE(taken.failed(lost(), start + 1s).ended);
  CHECK(refused(taken.answered(0)));  // it is ready or with another consumer: our try did not remove it
  auto retry = plan_of(settle::retry);
  CHECK_FALSE(retry.failed(lost(), start + 1s).ended);
  CHECK(held(retry.answered(-1)));
}

TEST_CASE("after a try that was surely not applied it was not") {
  auto done = plan_of(settle::done);
  CHECK_FALSE(done.failed(unavailable(), start + 1s).ended);
  CHECK(refused(done.answered(-1)));
}

TEST_CASE("a loss is followed by another try at once, then by growing pauses up to a second") {
  auto plan = plan_of(settle::done);
  CHECK(plan.failed(lost(), start).pause == 0ms);
  auto before = 0ms;
  for (int i = 0; i < 8; ++i) {
    auto d = plan.failed(lost(), start);
    CHECK_FALSE(d.ended);
    CHECK(d.pause >= before);
    CHECK(d.pause > 0ms);
    CHECK(d.pause <= 1s);
    before = d.pause;
  }
  CHECK(before == 1s);
  CHECK(plan.failed(lost(), start + 4990ms).pause == 10ms);
  CHECK(plan.left(start + 4s) == 1s);
  CHECK(plan.left(start + 6s) == 1ms);
}

TEST_CASE("at the deadline the error tells the tries, and that one may have been applied") {
  auto plan = plan_of(settle::done);
  plan.failed(lost(), start + 1s);
  auto d = plan.failed(unavailable(), start + 5s);
  REQUIRE(d.ended);
  auto e = d.ended->error();
  CHECK(e.is(status::timeout));
  CHECK(e.may_be_applied());
  CHECK(e.native() == "ECONNREFUSED");
  CHECK(e.message() ==
        "message 'm1' could not be settled as done: 2 tries in 5000 ms, of which one may have been applied; the last one: "
        "cannot "
        "connect");
}

TEST_CASE("what cannot pass by itself ends it at once") {
  auto plan = plan_of(settle::retry);
  auto d = plan.failed(error(status::refused, "wrong type", "redis", "WRONGTYPE"), start);
  REQUIRE(d.ended);
  CHECK(d.ended->error().native() == "WRONGTYPE");
  auto later = plan_of(settle::done);
  later.failed(lost(), start);
  auto closed = later.failed(error(status::closed, "the pool is closed"), start + 1s);
  REQUIRE(closed.ended);
  CHECK(closed.ended->error().is(status::closed));
  CHECK(closed.ended->error().may_be_applied());
}

TEST_CASE("without a deadline it goes on") {
  settle_plan plan(settle::done, "m1", start, settle_plan::clock::time_point::max());
  CHECK_FALSE(plan.failed(unavailable(), start + 24h).ended);
  CHECK(plan.left(start) == corbel::call::unlimited);
}
