#pragma once
/// What is wrong with a JSON text, and where. Runs only after the reader has refused it. For this folder's bodies only.

#include <simdjson.h>

#include <string>
#include <string_view>

namespace corbel::detail {

/// "JSON at byte 17: ...". code: what the reader said; depth: its limit.
std::string json_fault(std::string_view text, simdjson::error_code code, std::size_t depth);

}  // namespace corbel::detail
