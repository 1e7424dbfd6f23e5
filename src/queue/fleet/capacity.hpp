#pragma once
/// What heartbeats say, and the arithmetic of a fleet's capacity. Pure; any thread.

#include "queue/protocol.hpp"

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace corbel::detail {

enum class process_health { unknown, healthy, degraded, unhealthy };

/// "ServiceHealth.HEALTHY" or "HEALTHY", in any case; only the exact name counts: UNHEALTHY is not HEALTHY.
process_health health_of(std::string_view status) noexcept;

/// One heartbeat, as far as admission needs it.
struct process_heartbeat {
  std::string type, name;  ///< of the service
  std::int64_t load = 0, capacity = 0;
  double last = 0;  ///< when it was written, in seconds since 1970
  process_health health = process_health::unknown;

  /// None when it is no heartbeat.
  static std::optional<process_heartbeat> parse(std::string_view json);

  /// Whether it can take work, or can when it is done with what it has: healthy, degraded, or unhealthy only because it is
  /// full, for the platform's processes call themselves unhealthy then.
  bool works() const noexcept;
};

/// What one process holds: floor(capacity * (1 - buffer)) worked plus floor(capacity * multiplier) waiting.
std::uint64_t held_by_one(std::int64_t capacity, double buffer, double multiplier) noexcept;

/// What all processes hold whose heartbeats these are. now: seconds since 1970; heartbeats that are older than the
/// admission's time-out, of another service, or unreadable do not count.
fleet_capacity capacity_of(std::span<const std::string_view> heartbeats, std::string_view type, std::string_view name,
                           const queue_admission &admission, double now);

}  // namespace corbel::detail
