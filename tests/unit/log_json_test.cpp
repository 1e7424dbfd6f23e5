#include "base/log_json.hpp"

#include "base/utc_time.hpp"

#include <doctest/doctest.h>
#include <simdjson.h>

#include <random>
#include <set>

using namespace corbel;
using namespace corbel::detail;
using namespace std::chrono;
using namespace std::string_literals;

namespace {
const system_clock::time_point moment = sys_days{2026y / July / 24} + 9h + 30min + 1s + 7ms + 999us;
const std::string replaced = "\xEF\xBF\xBD";

std::string text_of(const std::string &line, const char *key) {
  simdjson::dom::parser parser;
  simdjson::dom::element root = parser.parse(line);
  return std::string(std::string_view(root[key]));
}
}  // namespace

TEST_CASE("times are RFC 3339 in UTC, cut to milliseconds") {
  CHECK(utc_text(moment) == "2026-07-24T09:30:01.007Z");
  CHECK(utc_text(system_clock::time_point{}) == "1970-01-01T00:00:00.000Z");
  CHECK(utc_text(system_clock::time_point{} - 1us) == "1969-12-31T23:59:59.999Z");
  CHECK(utc_text(sys_days{2024y / February / 29} + 23h + 59min + 59s + 999ms) == "2024-02-29T23:59:59.999Z");
}

TEST_CASE("a line has its members in this order") {
  log_line line{log_level::warning, "redis:main", "connection refused", {{"attempt", "3"}, {"host", "db"}}};
  CHECK(log_json(line, "proc", "proc-1", 4711, moment) ==
        R"({"ts": "2026-07-24T09:30:01.007999Z", "level": "warning", "part": "redis:main", "text": "connection refused", )"
        R"("name": "proc", "instance": "proc-1", "pid": 4711, "attempt": "3", "host": "db"})");
}

TEST_CASE("levels have names") {
  for (auto [level, name] : {std::pair{log_level::error, "error"}, {log_level::info, "info"}, {log_level::debug, "debug"}})
    CHECK(text_of(log_json({level, "", "", {}}, "", "", 1, moment), "level") == name);
  CHECK(text_of(log_json({static_cast<log_level>(99), "", "", {}}, "", "", 1, moment), "level") == "unknown");
}

TEST_CASE("hostile bytes") {
  auto shown = [](const std::string &text) {
    auto line = log_json({log_level::info, "p", text, {}}, "n", "i", 1, moment);
    auto from = line.find("\"text\": ") + 8;
    return line.substr(from, line.find(", \"name\"") - from);
  };
  CHECK(shown("quote \" and \\ slash / end") == R"("quote \" and \\ slash / end")");
  CHECK(shown("a\nb\tc\rd") == R"("a\nb\tc\rd")");
  CHECK(shown("\0\x01\x1f\x7f"s) == R"("\u0000\u0001\u001f\u007f")");
  CHECK(shown("\xC2\x85|\xE2\x80\xA8|\xE2\x80\xA9|\xC2\x9B") == R"("\u0085|\u2028|\u2029|\u009b")");
  CHECK(shown("gr\xC3\xBC\xC3\x9F \xF0\x9F\x98\x80") == "\"gr\xC3\xBC\xC3\x9F \xF0\x9F\x98\x80\"");
  CHECK(shown("a\xFFz") == "\"a" + replaced + "z\"");
  CHECK(shown("\xED\xA0\x80") == '"' + replaced + replaced + replaced + '"');
  CHECK(shown("cut \xF0\x9F\x98") == "\"cut " + replaced + '"');
  CHECK(shown("\"}, {\"level\": \"error") == R"("\"}, {\"level\": \"error")");
}

TEST_CASE("field names that are taken get a mark, none is written twice") {
  log_line line{
      log_level::info, "p", "t", {{"level", "x"}, {"pid", "7"}, {"a", "1"}, {"a", "2"}, {"a_", "3"}, {"a", "4"}, {"", "5"}}};
  auto json = log_json(line, "n", "i", 1, moment);
  CHECK(json.ends_with(R"("pid": 1, "level_": "x", "pid_": "7", "a": "1", "a_": "2", "a__": "3", "a___": "4", "": "5"})"));
}

TEST_CASE("random bytes everywhere: one line of JSON whose names differ and whose valid texts come back") {
  std::mt19937 random(11);
  simdjson::dom::parser parser;
  auto bytes = [&] {
    std::string out;
    for (auto n = random() % 24; n > 0; --n) out += static_cast<char>(random() % 4 ? random() : random() % 32);
    return out;
  };
  for (int round = 0; round < 3000; ++round) {
    log_line line{static_cast<log_level>(random() % 6), bytes(), bytes(), {}};
    for (auto n = random() % 5; n > 0; --n) line.fields.push_back({bytes(), bytes()});
    auto json = log_json(line, bytes(), bytes(), 1, moment);
    for (char c : json) REQUIRE(static_cast<unsigned char>(c) >= 0x20);
    simdjson::dom::element root;
    REQUIRE(parser.parse(json).get(root) == simdjson::SUCCESS);
    std::set<std::string> names;
    simdjson::dom::object object = root;
    for (auto [key, value] : object) REQUIRE(names.insert(std::string(key)).second);
    REQUIRE(names.size() == 7 + line.fields.size());
    if (simdjson::validate_utf8(line.text)) REQUIRE(text_of(json, "text") == line.text);
  }
}
