#include "runtime/runtime_core.hpp"

#include <corbel/health.hpp>

namespace corbel {

void set_health(runtime &rt, health_report report) { rt.core()->health().set(std::move(report)); }
void remove_health(runtime &rt, const std::string &part) { rt.core()->health().remove(part); }
health_summary health(const runtime &rt) { return rt.core()->health().summary(); }
void set_draining(runtime &rt, bool draining) { rt.core()->health().set_draining(draining); }
void watch_lag(runtime &rt) { rt.core()->watch_lag(); }

std::uint64_t on_health_change(runtime &rt, std::function<void(const health_change &)> fn) {
  auto &core = *rt.core();
  return core.health_changes().listen(core.listeners().add("health"), std::move(fn));
}

void forget_health_change(runtime &rt, std::uint64_t id) { rt.core()->health_changes().forget(id); }

}  // namespace corbel
