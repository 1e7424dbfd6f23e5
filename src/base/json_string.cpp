#include "base/json_string.hpp"

#include "base/code_point.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace corbel::detail {

void append_json_string(std::string &out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    // Most of most texts needs nothing.
    const auto odd = std::ranges::find_if(text, [](char c) {
      const auto u = static_cast<unsigned char>(c);
      return u < 0x20 || u >= 0x7F || c == '"' || c == '\\';
    });
    out.append(text.begin(), odd);
    text.remove_prefix(static_cast<std::size_t>(odd - text.begin()));
    if (text.empty()) break;
    auto c = first_code_point(text);
    if (!c.valid)
      out += "\xEF\xBF\xBD";
    else if (c.value == '"' || c.value == '\\')
      (out += '\\') += text[0];
    else if (c.value == '\n')
      out += "\\n";
    else if (c.value == '\t')
      out += "\\t";
    else if (c.value == '\r')
      out += "\\r";
    else if (is_control(c.value))
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c.value));
    else
      out += text.substr(0, c.bytes);
    text.remove_prefix(c.bytes);
  }
  out += '"';
}

}  // namespace corbel::detail
