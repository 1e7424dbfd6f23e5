#include "base/code_point.hpp"

#include <doctest/doctest.h>

#include <random>
#include <vector>

using namespace corbel::detail;
using namespace std::string_literals;

namespace {
const std::string replaced = "\xEF\xBF\xBD";

std::string encoded(char32_t c) {
  auto byte = [](char32_t b) { return std::string(1, static_cast<char>(b)); };
  if (c < 0x80) return byte(c);
  if (c < 0x800) return byte(0xC0 | c >> 6) + byte(0x80 | (c & 0x3F));
  if (c < 0x10000) return byte(0xE0 | c >> 12) + byte(0x80 | (c >> 6 & 0x3F)) + byte(0x80 | (c & 0x3F));
  return byte(0xF0 | c >> 18) + byte(0x80 | (c >> 12 & 0x3F)) + byte(0x80 | (c >> 6 & 0x3F)) + byte(0x80 | (c & 0x3F));
}

/// Sizes of the pieces that a text falls into; malformed ones are negative.
std::vector<int> pieces(std::string_view text) {
  std::vector<int> out;
  while (!text.empty()) {
    auto c = first_code_point(text);
    out.push_back(c.valid ? static_cast<int>(c.bytes) : -static_cast<int>(c.bytes));
    text.remove_prefix(c.bytes);
  }
  return out;
}
using list = std::vector<int>;
}  // namespace

TEST_CASE("every code point is read back, surrogates are malformed") {
  long wrong = 0;
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    auto text = encoded(c);
    auto read = first_code_point(text + "x");
    bool surrogate = c >= 0xD800 && c < 0xE000;
    bool right = surrogate ? !read.valid && read.bytes == 1 : read.valid && read.value == c && read.bytes == text.size();
    wrong += !right;
  }
  CHECK(wrong == 0);
}

TEST_CASE("malformed text falls into its longest malformed pieces") {
  CHECK(pieces("\x80") == list{-1});
  CHECK(pieces("\xC0\xAF") == list{-1, -1});
  CHECK(pieces("\xC1\xBF") == list{-1, -1});
  CHECK(pieces("\xC2") == list{-1});
  CHECK(pieces("\xC2\x41") == list{-1, 1});
  CHECK(pieces("\xE0\x80\xBF") == list{-1, -1, -1});
  CHECK(pieces("\xE2\x82") == list{-2});
  CHECK(pieces("\xE2\x82\x28") == list{-2, 1});
  CHECK(pieces("\xED\xA0\x80") == list{-1, -1, -1});
  CHECK(pieces("\xF0\x8F\xBF\xBF") == list{-1, -1, -1, -1});
  CHECK(pieces("\xF0\x9F\x98") == list{-3});
  CHECK(pieces("\xF4\x90\x80\x80") == list{-1, -1, -1, -1});
  CHECK(pieces("\xF5\x80") == list{-1, -1});
  CHECK(pieces("\xFF\xFE") == list{-1, -1});
  // The example of the Unicode standard, table 3-11.
  CHECK(pieces("\x61\xF1\x80\x80\xE1\x80\xC2\x62\x80\x63\x80\xBF\x64") == list{1, -3, -2, -1, 1, -1, 1, -1, -1, 1});
}

TEST_CASE("one_line") {
  CHECK(one_line("") == "");
  CHECK(one_line("plain text ~") == "plain text ~");
  CHECK(one_line("a\nb\r\nc\td\0e\x7F"s) == "a b  c d e ");
  CHECK(one_line("gr\xC3\xBC\xC3\x9F \xF0\x9F\x98\x80") == "gr\xC3\xBC\xC3\x9F \xF0\x9F\x98\x80");
  CHECK(one_line("a\xC2\x85"
                 "b\xE2\x80\xA8"
                 "c\xE2\x80\xA9"
                 "d\xC2\x9B"
                 "31m") == "a b c d 31m");
  CHECK(one_line("a\xFF\xFEz\xE2\x82") == "a" + replaced + replaced + "z" + replaced);
}

TEST_CASE("whatever goes in, one line of valid text comes out, and stays what it is") {
  std::mt19937 random(7);
  for (int round = 0; round < 5000; ++round) {
    std::string text;
    for (auto n = random() % 40; n > 0; --n)
      text += random() % 3 ? std::string(1, static_cast<char>(random())) : encoded(static_cast<char32_t>(random() % 0x3000));
    auto line = one_line(text);
    for (std::string_view rest = line; !rest.empty();) {
      auto c = first_code_point(rest);
      REQUIRE(c.valid);
      REQUIRE_FALSE(is_control(c.value));
      rest.remove_prefix(c.bytes);
    }
    REQUIRE(one_line(line) == line);
  }
}

TEST_CASE("all of a text is UTF-8, or not") {
  using corbel::detail::is_utf8;
  CHECK(is_utf8(""));
  CHECK(is_utf8("plain text of more than eight bytes"));
  CHECK(is_utf8("grüße, 世界"));
  CHECK(is_utf8(std::string("\0nul", 4)));
  for (const char *bad : {"\xff", "12345678\xc3", "1234567\xc3", "\xed\xa0\x80", "\xc0\x80", "\xf4\x90\x80\x80", "x\x80"})
    CHECK_FALSE(is_utf8(bad));
}
