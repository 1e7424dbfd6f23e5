#include "bundle/loader_health.hpp"

#include "health/flap_damper.hpp"

#include <fmt/format.h>

namespace corbel::detail {

namespace {

health_state state_of(const bundle_status &s) {
  switch (s.state) {
    case bundle_state::ready:
      return health_state::ok;
    case bundle_state::stale:
      return health_state::degraded;
    case bundle_state::loading:
      return s.required ? health_state::unknown : health_state::ok;
    case bundle_state::absent:
      return s.required ? health_state::down : health_state::degraded;
  }
  return health_state::unknown;
}

}  // namespace

health_report loader_health(const std::string &name, const std::vector<bundle_status> &all) {
  health_report out{.part = name, .state = health_state::ok};
  for (const auto &s : all) {
    out.required = out.required || s.required;
    const auto state = state_of(s);
    if (illness(state) <= illness(out.state)) continue;
    out.state = state;
    out.reason = s.state == bundle_state::loading
                     ? fmt::format("{} is being loaded", s.id)
                     : fmt::format("{} is {}: {}", s.id, bundle_state_name(s.state), s.why.message());
  }
  return out;
}

}  // namespace corbel::detail
