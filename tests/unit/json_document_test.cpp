#include "json/document.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace corbel;
using namespace std::string_literals;

namespace {
std::string fault(std::string_view text, json_limits limits = {}) {
  auto d = json_document::parse(text, limits);
  return d ? "accepted" : d.error().message();
}
std::string nested(std::size_t depth) { return std::string(depth, '[') + '1' + std::string(depth, ']'); }
}  // namespace

TEST_CASE("every kind of value is read with its type") {
  auto d = json_document::parse(R"({"t": "é\n", "i": -7, "n": 2.5, "b": true, "z": null, "a": [1, "x"], "o": {"k": "v"}})");
  REQUIRE(d);
  auto o = d->root().object();
  REQUIRE(o);
  CHECK(*o->text("t") == "é\n");
  CHECK(*o->integer("i") == -7);
  CHECK(*o->number("n") == 2.5);
  CHECK(*o->number("i") == -7.0);
  CHECK(*o->boolean("b", false) == true);
  CHECK_FALSE(o->find("z"));
  CHECK(o->array("a")->size() == 2);
  CHECK(*o->object("o")->text("k") == "v");
  CHECK(o->members().size() == 7);
}

TEST_CASE("what is wrong is said with the path") {
  auto d = json_document::parse(R"({"routing": {"session_id": 5, "hops": [{"at": "x"}, {"at": []}]}})");
  REQUIRE(d);
  auto routing = *d->root().object()->object("routing");
  CHECK(routing.text("session_id").error().message() == "routing.session_id: expected text, found an integer");
  CHECK(routing.text("user").error().message() == "routing.user: is missing");
  auto hops = *routing.array("hops");
  CHECK(hops[1].object()->text("at").error().message() == "routing.hops[1].at: expected text, found an array");
  CHECK(d->root().array().error().message() == "the document: expected an array, found an object");
  CHECK(*routing.text("user", "nobody") == "nobody");
  CHECK_FALSE(routing.text("session_id", "nobody"));
}

TEST_CASE("of members with the same name the last counts") {
  auto d = json_document::parse(R"({"a": 1, "a": 2})");
  CHECK(*d->root().object()->integer("a") == 2);
}

TEST_CASE("faults say where they are") {
  CHECK(fault("") == "JSON is empty: expected a value");
  CHECK(fault(" \n ") == "JSON is empty: expected a value");
  CHECK(fault("[1, 2,]") == "JSON at byte 6: expected a value, a comma, a colon or a closing bracket");
  CHECK(fault("[1 2]") == "JSON at byte 3: expected a value, a comma, a colon or a closing bracket");
  CHECK(fault("[tru]") == "JSON at byte 1: expected true, false or null");
  CHECK(fault("{\"a\": {\"b\": [1, nul]}}") == "JSON at byte 16: expected true, false or null");
  CHECK(fault("[\"a\nb\"]") == "JSON at byte 3: a control character in a text is not escaped");
  CHECK(fault("[1, \"abc") == "JSON at byte 4: a text that begins here is not closed");
  CHECK(fault("[\"\xff\"]") == "JSON at byte 2: not valid UTF-8");
  CHECK(fault("\"\xed\xa0\x80\"") == "JSON at byte 1: not valid UTF-8");
  CHECK(fault("\"a\0b\""s) == "JSON at byte 2: a control character in a text is not escaped");
  CHECK(fault("\0\1\2\3"s).find("JSON") == 0);
  for (auto bad : {"[1", "{", "{\"a\" 1}", "{1: 2}", "[1,,2]", "]", "[1]x", "1 2", "nan", "[-]", "[01]", "[1.]", "'a'"})
    CHECK_MESSAGE(fault(bad).starts_with("JSON "), bad);
}

TEST_CASE("every cut of a sound document is refused in one line") {
  const auto whole = R"({"events": [{"type": "event.user.prompt", "text": "a \"b\" \u00e9 é", "n": -1.5e3}], "ok": true})"s;
  REQUIRE(json_document::parse(whole));
  for (std::size_t i = 0; i < whole.size(); ++i) {
    auto line = fault(whole.substr(0, i));
    CHECK(line.starts_with("JSON "));
    CHECK(line.find('\n') == std::string::npos);
  }
}

TEST_CASE("numbers") {
  auto number = [](const char *text) { return json_document::parse(text); };
  CHECK(*number("9223372036854775807")->root().integer() == INT64_MAX);
  CHECK(*number("-9223372036854775808")->root().integer() == INT64_MIN);
  CHECK(number("18446744073709551615")->root().kind() == json_kind::integer);
  CHECK_FALSE(number("18446744073709551615")->root().integer());
  CHECK_FALSE(number("1.0")->root().integer());
  CHECK(*number("1e308")->root().number() == 1e308);
  CHECK(fault("[123456789012345678901234567890]") == "JSON at byte 1: a number is malformed, or too large for 64 bits");
  CHECK(fault("[1e400]") == "JSON at byte 1: a number is malformed, or too large for 64 bits");
}

TEST_CASE("surrogates and NUL in escapes") {
  CHECK(*json_document::parse(R"("\ud83d\ude00")")->root().text() == "😀");
  CHECK(fault(R"(["\ud800"])").find("lone surrogate") != std::string::npos);
  CHECK(fault(R"(["\udc00"])").find("lone surrogate") != std::string::npos);
  CHECK(fault(R"(["\ud800\u0041"])").find("lone surrogate") != std::string::npos);
  CHECK(*json_document::parse(R"("a\u0000b")")->root().text() == "a\0b"s);
  CHECK(*json_document::parse("\"\u2028\u2029\u0085\"")->root().text() == "\u2028\u2029\u0085");
}

TEST_CASE("depth and size are limited") {
  CHECK(json_document::parse(nested(64)));
  CHECK(fault(nested(65)) == "JSON is nested deeper than the limit of 64");
  CHECK(fault(nested(400000)) == "JSON is nested deeper than the limit of 64");
  CHECK(fault(std::string(1000000, '[')).starts_with("JSON at byte "));
  CHECK(fault(nested(3), {.depth = 2}) == "JSON is nested deeper than the limit of 2");
  CHECK(json_document::parse("[1, 2, 3]", {.bytes = 9}));
  CHECK(fault("[1, 2, 3] ", {.bytes = 9}) == "JSON of 10 bytes is over the limit of 9");
}

TEST_CASE("a document may move while its values are in use") {
  auto d = json_document::parse(R"({"a": "b"})");
  auto o = *d->root().object();
  auto moved = std::move(*d);
  CHECK(*o.text("a") == "b");
}
