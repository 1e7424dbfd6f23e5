#include "runtime/runtime_core.hpp"

#include <corbel/health.hpp>

namespace corbel {

void set_health(runtime &rt, health_report report) { rt.core()->health().set(std::move(report)); }

health_summary health(const runtime &rt) { return rt.core()->health().summary(); }

}  // namespace corbel
