#pragma once
/// Owns: the names of a platform queue's keys and locks. Those under "corbel:queue" are the library's own: no reader of the
/// platform's keys sees them. Pure; the same rules as in shared.lua and lane.lua. Callers: the platform protocol, whoever
/// writes to a conversation's lane of events. Thread: any.

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace corbel::detail {

/// In the order in which consumers take turns.
inline constexpr std::array<std::string_view, 5> platform_lanes{"privileged", "registered", "anonymous", "paid", "external"};

struct platform_keys {
  platform_keys(const std::string &tenant, const std::string &project);

  std::vector<std::string> ready;  ///< by user type
  std::vector<std::string> all;    ///< what each script is given, see shared.lua
  std::string events;              ///< begins the keys of lanes of events
};

/// A part of a key: trimmed, what is not [A-Za-z0-9_.@-] replaced by _; _ for nothing.
std::string safe_part(std::string_view s);

/// Names a conversation's lane of events. agent: empty for the platform's default one.
std::string event_lane_id(std::string_view conversation, std::string_view user, std::string_view agent);

}  // namespace corbel::detail
