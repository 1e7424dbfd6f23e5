#include "json/document.hpp"
#include "json/utf8.hpp"
#include "json/writer.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <random>

using namespace corbel;
using namespace std::string_literals;

namespace {
std::string as_json(std::string_view text) {
  std::string out;
  json_writer(out).value(text);
  return out;
}
std::string written(auto number) {
  std::string out;
  json_writer(out).value(number);
  return out;
}
}  // namespace

TEST_CASE("objects and arrays nest with their separators") {
  std::string out = "already there ";
  json_writer w(out);
  w.begin_object().member("id", "x").member("n", 3).key("tags").begin_array().value("a").value(true).value(nullptr);
  w.begin_object().end_object().begin_array().end_array().end_array().member("last", 1.5).end_object();
  CHECK(out == R"(already there {"id": "x", "n": 3, "tags": ["a", true, null, {}, []], "last": 1.5})");
}

TEST_CASE("what must be escaped is escaped, the rest is raw") {
  CHECK(as_json("a\"b\\c\n\r\t\b\f\x01\x1f\x7f/é😀") == R"("a\"b\\c\n\r\t\u0008\u000c\u0001\u001f\u007f/é😀")");
  CHECK(as_json("\0"s) == R"("\u0000")");
  CHECK(as_json("a\u2028b\u2029c\u0085d") == R"("a\u2028b\u2029c\u0085d")");
}

TEST_CASE("invalid UTF-8 becomes U+FFFD, piece by piece") {
  CHECK(as_json("a\xff\xfe z") == "\"a\uFFFD\uFFFD z\"");
  CHECK(as_json("\xe2\x82") == "\"\uFFFD\"");
  CHECK(as_json("\xed\xa0\x80") == "\"\uFFFD\uFFFD\uFFFD\"");
  CHECK(as_json("\xc0\xaf") == "\"\uFFFD\uFFFD\"");
  CHECK(as_json("\xf4\x90\x80\x80") == "\"\uFFFD\uFFFD\uFFFD\uFFFD\"");
  CHECK(as_json("\xe2\x28") == "\"\uFFFD(\"");
}

TEST_CASE("numbers keep their kind") {
  CHECK(written(INT64_MIN) == "-9223372036854775808");
  CHECK(written(UINT64_MAX) == "18446744073709551615");
  CHECK(written(1.0) == "1.0");
  CHECK(written(0.1) == "0.1");
  CHECK(written(1e300) == "1e+300");
  CHECK(written(1700000000.123) == "1700000000.123");
  CHECK(written(std::numeric_limits<double>::infinity()) == "null");
  CHECK(written(std::numeric_limits<double>::quiet_NaN()) == "null");
}

TEST_CASE("parsed JSON is copied, on one line") {
  auto d = json_document::parse(
      "{\"a\": [1, 2.0, -3,\n18446744073709551615, \"x\\u2028\"],\r\n \"b\": {\"c\": null, \"d\": false}}");
  REQUIRE(d);
  std::string out;
  json_writer(out).value(d->root());
  CHECK(out == R"({"a": [1, 2.0, -3, 18446744073709551615, "x\u2028"], "b": {"c": null, "d": false}})");
}

TEST_CASE("any bytes come back from the reader as valid UTF-8") {
  std::mt19937 random(7);
  const char32_t edges[] = {0, '"', '\\', 0x7f, 0x80, 0x7ff, 0x800, 0xffff};
  for (int round = 0; round < 5000; ++round) {
    std::string text;
    for (auto n = random() % 24; n > 0; --n)
      text += static_cast<char>(random() % 3 ? random() : edges[random() % std::size(edges)]);
    auto d = json_document::parse(as_json(text));
    REQUIRE(d);
    auto back = std::string(*d->root().text());
    CHECK(detail::utf8_first_invalid(back) == std::string::npos);
    if (detail::utf8_first_invalid(text) == std::string::npos) CHECK(back == text);
    CHECK(detail::utf8_length(back) == detail::utf8_length(text));
  }
}
