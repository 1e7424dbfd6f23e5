#pragma once
/// Log lines: a level, a part, one line of text, named fields. Never a password, never a URL with user information.

#include <corbel/c/base.h>

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

/// Receives log lines; runs on the listener thread, one line at a time.
using log_function = std::function<void(const log_line &)>;

}  // namespace corbel
