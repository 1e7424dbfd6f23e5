#pragma once
/// Owns: the shape of an element of a native ready list: "<id> US <put ms> [US <group>] LF <body>", US being \x1f. Other
/// hands may put "<id> LF <body>", or anything: then the whole is the body and the id is its SHA1. Pure; the same as head_of
/// in shared.lua. Callers: the native protocol. Thread: any.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace corbel::detail {

inline constexpr char unit = '\x1f';  ///< between the fields of the head

struct native_head {
  std::string id, group;
  std::chrono::system_clock::time_point put_at;  ///< the epoch where it is not known
  std::size_t body_at = 0;
};

native_head read_native_head(std::string_view element);
/// Replaces what is in element. put_ms: of the server's clock.
void write_native_element(std::string &element, std::string_view id, std::int64_t put_ms, std::string_view group,
                          std::string_view body);

}  // namespace corbel::detail
