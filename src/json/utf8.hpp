#pragma once
/// Measures of UTF-8 text, malformed or not. Pure; any thread.

#include <cstddef>
#include <string_view>

namespace corbel::detail {

/// Offset of the first malformed byte; npos when there is none.
std::size_t utf8_first_invalid(std::string_view text) noexcept;

/// Code points in text, each malformed piece counted as one.
std::size_t utf8_length(std::string_view text) noexcept;

}  // namespace corbel::detail
