#pragma once
/// A log line for people. Pure; any thread.

#include <corbel/log.hpp>

#include <chrono>
#include <string>

namespace corbel::detail {

/// "09:30:00.123 WARN  redis:main  connection refused  attempt=3", in UTC, without a newline. What is no printable UTF-8 is
/// replaced, and values with spaces or quotes are quoted.
std::string log_text(const log_line &line, std::chrono::system_clock::time_point time);

}  // namespace corbel::detail
