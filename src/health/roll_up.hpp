#pragma once
/// The health of a host out of the reports of its parts. Pure: no clock, no lock.
///
///  - A part that has not reported within its `fresh_for` is stale, unless it was down already, and its reason says for how
///    long nothing was reported. A part that flaps shows the worst it said (see flap_damper).
///  - The whole is the worst of the required parts: down, stale, unknown, degraded, saturated, ok; or no part has reported:
///    unknown. Other parts make it degraded at worst, and do not count while they are unknown.
///  - Ready: the whole is ok, saturated or degraded, and the host does not drain. Alive: no vital part is down or stale.

#include "health/flap_damper.hpp"

#include <corbel/health.hpp>

#include <chrono>
#include <span>

namespace corbel::detail {

/// One moment on both clocks: ages are measured on the steady one, `since` is told on the wall's.
struct health_instant {
  std::chrono::steady_clock::time_point steady;
  std::chrono::system_clock::time_point wall;
};

/// The last report of a part.
struct health_entry {
  health_report report;
  health_instant reported;                      ///< when the last report came
  std::chrono::system_clock::time_point since;  ///< since when the part says this state
  std::optional<std::chrono::system_clock::time_point> last_good = {};
  flap_damper damper = {};
};

/// Parts come out sorted by name. `because` names the part that decided: the worst, required before others, then by name.
health_summary roll_up(std::span<const health_entry> entries, const health_instant &now, bool draining = false);

/// When the summary may change though nobody reports; none: never.
std::optional<std::chrono::steady_clock::time_point> next_due(std::span<const health_entry> entries,
                                                              const health_instant &now);

}  // namespace corbel::detail
