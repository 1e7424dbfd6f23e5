#include "base/log_json.hpp"

#include "base/json_string.hpp"
#include "base/utc_time.hpp"

#include <algorithm>

namespace corbel::detail {

const char *log_level_name(log_level level) noexcept {
  switch (level) {
    case log_level::error:
      return "error";
    case log_level::warning:
      return "warning";
    case log_level::info:
      return "info";
    case log_level::debug:
      return "debug";
    case log_level::off:
      return "off";
  }
  return "unknown";
}

std::string log_json(const log_line &line, std::string_view name, std::string_view instance, long pid,
                     std::chrono::system_clock::time_point time) {
  std::string out = "{\"ts\": \"" + utc_text(time) + '"';
  auto member = [&out](std::string_view key, std::string_view value) {
    out += ", ";
    append_json_string(out, key);
    out += ": ";
    append_json_string(out, value);
  };
  member("level", log_level_name(line.level));
  member("part", line.part);
  member("text", line.text);
  member("name", name);
  member("instance", instance);
  out += ", \"pid\": " + std::to_string(pid);
  std::vector<std::string> taken = {"ts", "level", "part", "text", "name", "instance", "pid"};
  for (auto &field : line.fields) {
    auto key = field.name;
    while (std::ranges::find(taken, key) != taken.end()) key += '_';
    member(key, field.value);
    taken.push_back(std::move(key));
  }
  return out += '}';
}

}  // namespace corbel::detail
