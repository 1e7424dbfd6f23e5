#include "base/json_string.hpp"

#include "base/code_point.hpp"

#include <fmt/format.h>

#include <iterator>

namespace corbel::detail {

void append_json_string(std::string &out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
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
