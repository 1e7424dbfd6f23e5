#pragma once
/// What may stand in a header field. Pure; any thread.

#include <algorithm>
#include <string_view>

namespace corbel::detail {

/// A token: RFC 9110, 5.6.2.
inline bool is_field_name(std::string_view name) {
  constexpr std::string_view others = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::ranges::all_of(name, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::ranges::find(others, c) != others.end();
  });
}

/// What would end a field, and begin another: RFC 9110, 5.5.
inline bool is_line_break(char c) { return c == '\r' || c == '\n' || c == '\0'; }
inline bool is_field_value(std::string_view value) { return std::ranges::none_of(value, is_line_break); }

}  // namespace corbel::detail
