#include "json/utf8.hpp"

#include "base/code_point.hpp"

namespace corbel::detail {

std::size_t utf8_first_invalid(std::string_view text) noexcept {
  for (std::size_t i = 0; i < text.size();) {
    auto c = first_code_point(text.substr(i));
    if (!c.valid) return i;
    i += c.bytes;
  }
  return std::string_view::npos;
}

std::size_t utf8_length(std::string_view text) noexcept {
  std::size_t n = 0;
  for (; !text.empty(); ++n) text.remove_prefix(first_code_point(text).bytes);
  return n;
}

}  // namespace corbel::detail
