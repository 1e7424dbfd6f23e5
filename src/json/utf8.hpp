#pragma once
/// UTF-8 as Unicode defines it: no overlong forms, no surrogates, nothing above U+10FFFF.
/// Threads: any.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace corbel::detail {

struct utf8_step {
  char32_t point = 0;     ///< the code point; U+FFFD for a malformed piece
  std::size_t bytes = 0;  ///< how many bytes it takes; at least 1 when text was not empty
  bool valid = false;
};

/// Decodes the first code point of text, or its longest malformed piece as one step, the way browsers replace it.
utf8_step utf8_first(std::string_view text) noexcept;

/// Offset of the first malformed byte; npos when there is none.
std::size_t utf8_first_invalid(std::string_view text) noexcept;

/// Code points in text, a malformed piece counted as one.
std::size_t utf8_length(std::string_view text) noexcept;

}  // namespace corbel::detail
