#pragma once
/// The health of a host out of the reports of its parts. Pure: no clock, no lock.
///
///  - A part that has not reported within its `fresh_for` is degraded, or down when required, and its reason says for how
///    long nothing was reported. Being late never makes a part look better than it said.
///  - The whole is down when a required part is; else unknown when a required part is, or when no part has said anything;
///    else degraded when a required part is, or any other part is degraded or down; else ok. Other parts that are unknown
///    do not count.

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
  std::chrono::system_clock::time_point since;  ///< since when the parts says this state
};

/// Parts come out sorted by name. `because` names the part that decided: the worst, required before others, then by name.
health_summary roll_up(std::span<const health_entry> entries, const health_instant &now);

}  // namespace corbel::detail
