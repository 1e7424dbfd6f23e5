/// The lines between host and handler: what is written, what is read, and that no bytes do harm.

#include "base/log_quota.hpp"
#include "bundle/child_lines.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace corbel;
using namespace corbel::detail;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t most = 1 << 20;

child_line good(std::string_view line) {
  auto read = read_child_line(line, most);
  REQUIRE_MESSAGE(read, read.error().message());
  return *read;
}

}  // namespace

TEST_CASE("what is written is one line") {
  CHECK(write_child_request(7, "turn", R"({"a": [1]})") == R"({"id": 7, "kind": "turn", "task": {"a": [1]}})");
  CHECK(write_child_cancel(7) == R"({"cancel": 7})");
}

TEST_CASE("what is read") {
  CHECK(good(R"({"ready": true})").what == child_line::kind::ready);
  auto event = good(R"({"id":3,"event":{"step":"x","n":[1,null]}})");
  CHECK(event.what == child_line::kind::event);
  CHECK(event.id == 3);
  CHECK(event.json == R"({"step": "x", "n": [1, null]})");
  CHECK(good(R"({"id": 3, "result": null})").json == "null");
  CHECK(good(R"({"id": 3, "result": "text", "extra": 1})").json == "\"text\"");
  auto failed = good(R"({"id": 3, "error": {"message": "no", "class": "KeyError", "retry": true}})");
  CHECK(failed.what == child_line::kind::failed);
  CHECK(failed.why.message() == "no");
  CHECK(failed.why.native() == "KeyError");
  CHECK(failed.why.may_retry());
  CHECK_FALSE(good(R"({"id": 3, "error": "plain"})").why.may_retry());
  CHECK(good(R"({"id": 3, "error": {}})").why.message() == "the handler failed without a message");
}

TEST_CASE("what is nonsense") {
  for (const char *line :
       {"", "hello", "[]", "7", "{}", R"({"ready": false})", R"({"ready": 1})", R"({"id": "x", "result": 1})",
        R"({"id": 1})", R"({"id": 1, "answer": 2})", R"({"id": 1, "error": 7})", R"({"id": 1.5, "result": 2})",
        R"({"id": 1, "result": 2} {"id": 2})", "{\"id\": 1, \"result\": \"\xff\"}"}) {
    CAPTURE(line);
    auto read = read_child_line(line, most);
    REQUIRE_FALSE(read);
    CHECK(read.error().is(status::protocol));
    CHECK(read.error().native() == "LINE");
    CHECK(read.error().message().starts_with("the handler wrote \""));
    CHECK(read.error().message().find('\n') == std::string::npos);
  }
  CHECK(read_child_line(std::string(1000, 'x'), most).error().message().find(" and so on, 1000 bytes, on standard output") !=
        std::string::npos);
}

TEST_CASE("any bytes are read or refused") {
  const std::string seeds[] = {R"({"id": 3, "event": {"step": "x"}})",
                               R"({"id": 3, "error": {"message": "no", "retry": true}})", R"({"ready": true})"};
  std::mt19937 random(1);
  for (unsigned i = 0; i < 20000; ++i) {
    auto line = seeds[i % std::size(seeds)];
    for (unsigned n = random() % 4; n > 0 && !line.empty(); --n) {
      const auto at = random() % line.size();
      if (random() % 3 == 0)
        line.erase(at, 1);
      else
        line[at] = static_cast<char>(random());
    }
    if (auto read = read_child_line(line, most); !read) CHECK(read.error().is(status::protocol));
  }
}

TEST_CASE("a program's lines go into the log up to a limit, and then are counted") {
  log_quota quota;
  auto t = log_quota::clock::time_point{} + 1h;
  std::uint64_t left_out = 0;
  for (unsigned i = 0; i < log_quota::most; ++i) CHECK(quota.may(t, left_out));
  for (unsigned i = 0; i < 5; ++i) CHECK_FALSE(quota.may(t + 9s, left_out));
  CHECK(quota.may(t + 10s, left_out));
  CHECK(left_out == 5);
  CHECK(quota.may(t + 10s, left_out));
  CHECK(left_out == 0);
}
