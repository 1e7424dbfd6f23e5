#include "base/repeat_filter.hpp"

#include "base/log_text.hpp"

#include <doctest/doctest.h>

using namespace corbel;
using namespace corbel::detail;
using namespace std::chrono_literals;

namespace {
auto at(std::chrono::milliseconds t) { return repeat_filter::clock::time_point(1h) + t; }
log_line line(std::string text, std::vector<log_field> fields = {}) {
  return {log_level::warning, "http", std::move(text), std::move(fields)};
}
}  // namespace

TEST_CASE("ten of the same pass in ten seconds, then one line tells of the rest") {
  repeat_filter f;
  int passed = 0;
  for (int i = 0; i < 100; ++i) passed += f.passes(line("same"), at(10ms * i));
  CHECK(passed == 10);
  CHECK(f.passes(line("other"), at(1s)));
  CHECK(f.passes(line("same", {{"id", "1"}}), at(1s)));  // another line
  CHECK(f.ended(at(9999ms)).empty());
  auto told = f.ended(at(10s));
  REQUIRE(told.size() == 1);
  CHECK(told[0].text == "repeated: same");
  CHECK(told[0].fields.at(0).value == "90");
  CHECK(f.passes(line("same"), at(10s)));
}

TEST_CASE("what is never seen twice costs no more than a bounded table") {
  repeat_filter f;
  for (int i = 0; i < 5000; ++i) CHECK(f.passes(line(std::to_string(i)), at(1ms * i)));
  CHECK(f.ended(at(60s)).empty());
}

TEST_CASE("a line for people") {
  const auto moment = std::chrono::sys_days{std::chrono::year(2026) / 7 / 24} + 9h + 30min + 1s + 7ms;
  CHECK(log_text({log_level::warning, "redis:main", "refused", {{"attempt", "3"}, {"why", "no \"route\""}, {"x", ""}}},
                 moment) == R"(09:30:01.007 WARN  redis:main  refused  attempt=3  why="no \"route\""  x="")");
  CHECK(log_text({log_level::error, "a\nb", "c\xFF", {}}, moment) == "09:30:01.007 ERROR a b  c\xEF\xBF\xBD");
}
