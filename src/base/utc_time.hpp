#pragma once
/// Times as text. Pure; any thread.

#include <chrono>
#include <string>

namespace corbel::detail {

/// RFC 3339 in UTC, cut to milliseconds: "2026-07-24T09:30:00.123Z".
std::string utc_text(std::chrono::system_clock::time_point time);

/// The same with microseconds.
std::string utc_text_us(std::chrono::system_clock::time_point time);

}  // namespace corbel::detail
