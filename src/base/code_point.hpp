#pragma once
/// Reading UTF-8 as Unicode defines it: no overlong forms, no surrogates, nothing above U+10FFFF. Pure; any thread.

#include <cstddef>
#include <string>
#include <string_view>

namespace corbel::detail {

struct code_point {
  char32_t value = 0xFFFD;
  std::size_t bytes = 1;
  bool valid = false;
};

/// The first code point of a text that is not empty; where it is malformed, U+FFFD for its longest malformed piece.
code_point first_code_point(std::string_view text) noexcept;

/// True for what some reader takes for the end of a line or for a command to a terminal: C0 and C1 controls, DEL, U+2028
/// and U+2029.
constexpr bool is_control(char32_t c) noexcept { return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029; }

/// True when all of the text is UTF-8.
bool is_utf8(std::string_view text) noexcept;

/// The text as one line of valid UTF-8: a space for each control character, U+FFFD for malformed pieces.
std::string one_line(std::string text);

}  // namespace corbel::detail
