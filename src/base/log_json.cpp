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
  std::string out = "{\"ts\": \"" + utc_text_us(time) + "\", \"level\": \"" + log_level_name(line.level) + '"';
  auto member = [&out](std::string_view key, std::string_view value) {
    (out += ", ") += key;
    append_json_string(out += ": ", value);
  };
  member("\"part\"", line.part);
  member("\"text\"", line.text);
  member("\"name\"", name);
  member("\"instance\"", instance);
  out += ", \"pid\": " + std::to_string(pid);
  // Compared as they are written: different malformed names may come out the same.
  std::vector<std::string> taken = {R"("ts")",   R"("level")",    R"("part")", R"("text")",
                                    R"("name")", R"("instance")", R"("pid")"};
  for (auto &field : line.fields) {
    std::string key;
    append_json_string(key, field.name);
    while (std::ranges::find(taken, key) != taken.end()) key.insert(key.size() - 1, 1, '_');
    member(key, field.value);
    taken.push_back(std::move(key));
  }
  return out += '}';
}

}  // namespace corbel::detail
