#include "base/code_point.hpp"
#include "capi/handles.hpp"

#include <corbel/health.hpp>

using namespace corbel;
using namespace corbel::capi;

corbel_status corbel_health_set(corbel_runtime *rt, const corbel_health_report *h, corbel_error **err) {
  return guard(err, [&]() -> error {
    if (!rt) return invalid("the runtime is NULL");
    if (rt->core().forked()) return detail::forked_error();
    corbel_health_report given{};
    if (auto why = read_options(h, given, "corbel_health_report", CORBEL_HEALTH_REQUIRED)) return why;
    if (!given.part || !*given.part) return invalid("corbel_health_report.part is empty: name the part that reports");
    if (given.state < CORBEL_HEALTH_UNKNOWN || given.state > CORBEL_HEALTH_DOWN)
      return invalid(
          fmt::format("corbel_health_report.state is {}: give CORBEL_HEALTH_UNKNOWN to CORBEL_HEALTH_DOWN", given.state));
    if (given.fresh_ms < 0)
      return invalid(fmt::format(
          "corbel_health_report.fresh_ms is {}: give milliseconds, or 0 for a report that does not age", given.fresh_ms));
    if (given.reserved != 0)
      return error(status::unsupported,
                   "corbel_health_report.reserved is not 0: this version of the library does not know it");
    set_health(rt->value, {.part = given.part,
                           .state = static_cast<health_state>(given.state),
                           .reason = text_or(given.reason, ""),
                           .required = (given.flags & CORBEL_HEALTH_REQUIRED) != 0,
                           .fresh_for = std::chrono::milliseconds(given.fresh_ms)});
    return {};
  });
}

corbel_status corbel_health_json(corbel_runtime *rt, corbel_text **out, corbel_error **err) {
  return guard(err, [&]() -> error {
    if (!rt || !out) return invalid("the runtime or the out-parameter is NULL");
    if (rt->core().forked()) return detail::forked_error();
    *out = new corbel_text{health_json(health(rt->value))};
    return {};
  });
}

int32_t corbel_health_state(corbel_runtime *rt, const char *part) {
  auto state = health_state::unknown;
  guard(nullptr, [&]() -> error {
    if (!rt || rt->core().forked()) return {};
    auto summary = health(rt->value);
    if (!part) {
      state = summary.state;
      return {};
    }
    for (auto &p : summary.parts)
      if (p.part == detail::one_line(part)) state = p.state;
    return {};
  });
  return static_cast<int32_t>(state);
}
