#pragma once
/// The JSON of heartbeats as the platform writes it, but for the time, which the server puts in. Pure; any thread.

#include "queue/fleet/names.hpp"

#include <corbel/queue_heartbeat.hpp>

#include <string>
#include <string_view>

namespace corbel::detail {

struct heartbeat_text {
  std::string head;  ///< up to "last_heartbeat": exclusive of its value
  std::string tail;  ///< from behind that value
};

/// metadata: one JSON object; what is none is left out, and the pair's second says so.
std::pair<heartbeat_text, bool> heartbeat_json(const heartbeat_options &o, const fleet_names &names, long pid,
                                               std::uint32_t load, bool draining, std::string_view metadata);
/// The instance's, up to total_processes: exclusive of its value.
std::string instance_json(std::string_view instance, const fleet_names &names);

}  // namespace corbel::detail
