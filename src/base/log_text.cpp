#include "base/log_text.hpp"

#include "base/code_point.hpp"
#include "base/json_string.hpp"
#include "base/utc_time.hpp"

namespace corbel::detail {

namespace {
const char *word(log_level level) {
  switch (level) {
    case log_level::error:
      return "ERROR ";
    case log_level::warning:
      return "WARN  ";
    case log_level::info:
      return "info  ";
    default:
      return "debug ";
  }
}
}  // namespace

std::string log_text(const log_line &line, std::chrono::system_clock::time_point time) {
  auto out = utc_text(time).substr(11, 12) + ' ' + word(line.level) + one_line(line.part) + "  " + one_line(line.text);
  for (auto &field : line.fields) {
    out += "  " + one_line(field.name) + '=';
    if (field.value.find_first_of(" \"\t\r\n") == std::string::npos && !field.value.empty())
      out += one_line(field.value);
    else
      append_json_string(out, field.value);
  }
  return out;
}

}  // namespace corbel::detail
