#pragma once
/// The health table of a runtime: parts report, the roll-up says whether the host is ready and because of what.
/// Threads: any. Pools report as "redis:<kind>" by themselves.

#include <corbel/c/health.h>
#include <corbel/runtime.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace corbel {

enum class health_state : std::int32_t {
  unknown = CORBEL_HEALTH_UNKNOWN,
  ok = CORBEL_HEALTH_OK,
  degraded = CORBEL_HEALTH_DEGRADED,
  down = CORBEL_HEALTH_DOWN,
};
const char *health_state_name(health_state s) noexcept;

struct health_report {
  std::string part;
  health_state state = health_state::unknown;
  std::string reason = {};
  bool required = false;
  std::chrono::milliseconds fresh_for{0};  ///< 0: the report does not age
};

struct health_part : health_report {
  std::chrono::system_clock::time_point since;  ///< when the state last changed
};

struct health_summary {
  health_state state = health_state::unknown;
  std::string because;  ///< "redis:main: connection refused"; empty when ok
  std::vector<health_part> parts;
};

void set_health(runtime &rt, health_report report);
health_summary health(const runtime &rt);
/// {"state": "ok", "because": null, "parts": {"redis:main": {"state": ..., "reason": ..., "since": ..., "required": ...}}}
std::string health_json(const health_summary &summary);

}  // namespace corbel
