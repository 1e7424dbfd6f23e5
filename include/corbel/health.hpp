#pragma once
/// The health table of a runtime: parts report, the roll-up says whether the host is ready, whether it is alive, and because
/// of what. Threads: any. Pools, queues, bundles, configuration and budget report by themselves; watch_lag() adds the
/// runtime's own threads.
///
///     corbel::set_health(rt, {.part = "mail", .state = corbel::health_state::down, .reason = "no answer on port 25",
///                             .required = true, .fresh_for = 30s});
///     if (!corbel::health(rt).ready) ...
///
/// Every change of a part or of the whole is a log line of the part "health", counts in the metrics corbel_health_*, and is
/// told to those who asked by on_health_change().

#include <corbel/c/health.h>
#include <corbel/runtime.hpp>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace corbel {

enum class health_state : std::int32_t {
  unknown = CORBEL_HEALTH_UNKNOWN,
  ok = CORBEL_HEALTH_OK,
  degraded = CORBEL_HEALTH_DEGRADED,    ///< works, with less than it should
  down = CORBEL_HEALTH_DOWN,            ///< does not work
  saturated = CORBEL_HEALTH_SATURATED,  ///< works, and has all that it can do: not ill, and no reason to restart it
  stale = CORBEL_HEALTH_STALE,          ///< said nothing within its fresh_for; only the table says it
};
const char *health_state_name(health_state s) noexcept;

struct health_report {
  std::string part;
  health_state state = health_state::unknown;
  std::string reason = {};
  bool required = false;                   ///< without it the host is not ready
  std::chrono::milliseconds fresh_for{0};  ///< 0: the report does not age
  bool vital = false;                      ///< down or stale, only a restart of the process mends it: the host is not alive
};

struct health_part : health_report {
  std::chrono::system_clock::time_point since;                          ///< when the state last changed
  std::optional<std::chrono::system_clock::time_point> last_good = {};  ///< when it last said ok or saturated
};

struct health_summary {
  health_state state = health_state::unknown;
  std::string because;  ///< "redis:main: connection refused"; empty when ok
  std::vector<health_part> parts = {};
  bool ready = false;     ///< no required part is unknown, down or stale, some part has reported, and it does not drain
  bool alive = true;      ///< no vital part is down or stale
  bool draining = false;  ///< set_draining() was called
  std::string why_not_ready = {}, why_not_alive = {};  ///< empty where it is
};

/// A part whose state changed; or the whole, where `part` is empty and its state or its readiness did.
struct health_change {
  std::string part;
  health_state before = health_state::unknown, state = health_state::unknown;
  std::string reason = {};
  bool ready = false;  ///< the host, after it
};

/// Throws nothing but std::bad_alloc. The state `stale` counts as unknown.
void set_health(runtime &rt, health_report report);
/// Forgets a part.
void remove_health(runtime &rt, const std::string &part);
health_summary health(const runtime &rt);
/// {"state": "ok", "because": null, "ready": true, "alive": true, "draining": false, "parts": {"redis:main": {"state": ...,
/// "reason": ..., "since": ..., "last_good": ..., "required": ...}}}
std::string health_json(const health_summary &summary);

/// From now on the host is not ready: what probes /readyz or /health hears it. Nothing else is stopped.
void set_draining(runtime &rt, bool draining = true);

/// fn runs on the listener thread, in order. Returns the id for forget_health_change.
std::uint64_t on_health_change(runtime &rt, std::function<void(const health_change &)> fn);
/// Afterwards no new call of it begins.
void forget_health_change(runtime &rt, std::uint64_t id);

/// Reports the part "runtime", vital and required: how long its I/O threads let a due timer wait. Over 250 ms it is
/// degraded, and when a thread is held for 15 s it is stale. Costs each thread a timer twice a second until the shutdown.
void watch_lag(runtime &rt);

}  // namespace corbel
