#include "json/utf8.hpp"

namespace corbel::detail {

namespace {

struct lead {
  std::size_t tail;                      // continuation bytes that must follow
  unsigned char second_min, second_max;  // narrower than 80..BF where overlong forms, surrogates or > U+10FFFF begin
};

constexpr lead classify(unsigned char c) noexcept {
  if (c >= 0xC2 && c <= 0xDF) return {1, 0x80, 0xBF};
  if (c == 0xE0) return {2, 0xA0, 0xBF};
  if (c == 0xED) return {2, 0x80, 0x9F};
  if (c >= 0xE1 && c <= 0xEF) return {2, 0x80, 0xBF};
  if (c == 0xF0) return {3, 0x90, 0xBF};
  if (c >= 0xF1 && c <= 0xF3) return {3, 0x80, 0xBF};
  if (c == 0xF4) return {3, 0x80, 0x8F};
  return {0, 0, 0};
}

}  // namespace

utf8_step utf8_first(std::string_view text) noexcept {
  if (text.empty()) return {};
  auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) < 0x80) return {byte(0), 1, true};
  auto [tail, low, high] = classify(byte(0));
  if (tail == 0) return {0xFFFD, 1, false};
  char32_t point = byte(0) & (0x3Fu >> tail);
  for (std::size_t i = 1; i <= tail; ++i) {
    if (i == text.size() || byte(i) < low || byte(i) > high) return {0xFFFD, i, false};
    point = (point << 6) | (byte(i) & 0x3Fu);
    low = 0x80, high = 0xBF;
  }
  return {point, tail + 1, true};
}

std::size_t utf8_first_invalid(std::string_view text) noexcept {
  for (std::size_t i = 0; i < text.size();) {
    auto step = utf8_first(text.substr(i));
    if (!step.valid) return i;
    i += step.bytes;
  }
  return std::string_view::npos;
}

std::size_t utf8_length(std::string_view text) noexcept {
  std::size_t n = 0;
  for (; !text.empty(); ++n) text.remove_prefix(utf8_first(text).bytes);
  return n;
}

}  // namespace corbel::detail
