#pragma once
/// Log lines: a level, a part, one line of text, named fields. Never a password, never a URL with user information.

#include <corbel/c/base.h>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace corbel {

enum class log_level : std::int32_t {
  error = CORBEL_LOG_ERROR,
  warning = CORBEL_LOG_WARNING,
  info = CORBEL_LOG_INFO,
  debug = CORBEL_LOG_DEBUG,
  off = CORBEL_LOG_OFF,
};

struct log_field {
  std::string name, value;
};

struct log_line {
  log_level level = log_level::info;
  std::string part, text;
  std::vector<log_field> fields;
};

/// What lines of work say beside their text, under names that every line uses. Empty members are left out.
struct log_context {
  std::string request_id = {}, tenant = {}, project = {}, bundle_id = {}, session_id = {};
  std::string traceparent = {};           ///< becomes trace_id and span_id
  std::string source = {};                ///< "redis", "postgres", "queue", "http" ...: what the line is about
  std::string error_class = {};           ///< a status's name in small letters: "timeout", "lost", "refused" ...
  std::chrono::nanoseconds duration{-1};  ///< becomes duration_ms; negative: none

  std::vector<log_field> fields() const;
};

/// How lines look on standard output.
enum class log_form : std::int32_t {
  automatic,  ///< text on a terminal, else JSON
  json,       ///< an object per line
  text,       ///< for people
};

/// Receives log lines; runs on the listener thread, one line at a time.
using log_function = std::function<void(const log_line &)>;

}  // namespace corbel
