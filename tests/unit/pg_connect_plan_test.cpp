#include "postgres/connect_plan.hpp"

#include <doctest/doctest.h>

using namespace corbel;
using namespace std::chrono_literals;
using corbel::detail::connect_candidate;
using corbel::detail::connect_plan;

namespace {
const connect_plan::time start{};
std::vector<connect_candidate> hosts(int n) {
  std::vector<connect_candidate> all;
  for (int i = 0; i < n; ++i) all.push_back({"h" + std::to_string(i), "", "5432"});
  return all;
}
const error unreachable(status::unavailable, "unreachable"),
    full(status::refused, "full", "postgres", "53300", error::retriable),
    password(status::refused, "password", "postgres", "28P01", error::fatal);
}  // namespace

TEST_CASE("in order, each with an equal share of the time that is left") {
  connect_plan p(hosts(4), "read-write", start + 4s);
  connect_plan::attempt a;
  REQUIRE(p.next(start, a));
  CHECK(a.to->host == "h0");
  CHECK(std::string(a.target) == "read-write");
  CHECK(a.deadline == start + 1s);
  p.failed(unreachable);
  REQUIRE(p.next(start + 100ms, a));
  CHECK(a.to->host == "h1");
  CHECK(a.deadline == start + 1400ms);
  p.failed(unreachable);
  REQUIRE(p.next(start + 1400ms, a));
  REQUIRE(p.next(start + 1500ms, a));
  CHECK(a.deadline == start + 4s);
  CHECK_FALSE(p.next(start + 1600ms, a));
  CHECK(p.why().message() == "unreachable");
}

TEST_CASE("no time, no attempt") {
  connect_plan p(hosts(3), "any", start + 1s);
  connect_plan::attempt a;
  REQUIRE(p.next(start, a));
  p.failed(unreachable);
  CHECK_FALSE(p.next(start + 1s, a));
}

TEST_CASE("a refused password ends it; what a server says weighs more than silence") {
  connect_plan p(hosts(3), "any", start + 1s);
  connect_plan::attempt a;
  REQUIRE(p.next(start, a));
  p.failed(full);
  REQUIRE(p.next(start, a));
  p.failed(unreachable);
  CHECK(p.why().native() == "53300");
  REQUIRE(p.next(start, a));
  p.failed(password);
  CHECK(p.why().native() == "28P01");
  connect_plan q(hosts(3), "any", start + 1s);
  REQUIRE(q.next(start, a));
  q.failed(password);
  CHECK_FALSE(q.next(start, a));
}

TEST_CASE("prefer-standby: all standbys first, then any") {
  connect_plan p(hosts(2), "prefer-standby", start + 4s);
  connect_plan::attempt a;
  std::string tried;
  while (p.next(start, a)) {
    tried += a.to->host + ":" + a.target + " ";
    p.failed(unreachable);
  }
  CHECK(tried == "h0:standby h1:standby h0:any h1:any ");
}
