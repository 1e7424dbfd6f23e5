#pragma once
/// A log line as JSON. Pure; any thread.

#include <corbel/log.hpp>

#include <chrono>
#include <string>
#include <string_view>

namespace corbel::detail {

/// {"ts": "2026-07-24T09:30:00.123456Z", "level": "info", "part": ..., "text": ..., "name": ..., "instance": ..., "pid":
/// 4711, then the fields}, without a newline. A field whose name is taken already gets "_" appended until it is not.
std::string log_json(const log_line &line, std::string_view name, std::string_view instance, long pid,
                     std::chrono::system_clock::time_point time);

/// "error", "warning", "info", "debug", "off".
const char *log_level_name(log_level level) noexcept;

}  // namespace corbel::detail
