#include "base/json_string.hpp"
#include "base/utc_time.hpp"

#include <corbel/health.hpp>

namespace corbel {

const char *health_state_name(health_state s) noexcept {
  switch (s) {
    case health_state::unknown:
      return "unknown";
    case health_state::ok:
      return "ok";
    case health_state::degraded:
      return "degraded";
    case health_state::down:
      return "down";
    case health_state::saturated:
      return "saturated";
    case health_state::stale:
      return "stale";
  }
  return "unknown";
}

namespace {
void append_text_or_null(std::string &out, const std::string &text) {
  if (text.empty())
    out += "null";
  else
    detail::append_json_string(out, text);
}
}  // namespace

std::string health_json(const health_summary &summary) {
  std::string out = "{\"state\": \"";
  out += health_state_name(summary.state);
  out += "\", \"because\": ";
  append_text_or_null(out, summary.because);
  auto flag = [&out](const char *name, bool value) { ((out += ", \"") += name) += value ? "\": true" : "\": false"; };
  flag("ready", summary.ready);
  flag("alive", summary.alive);
  flag("draining", summary.draining);
  out += ", \"parts\": {";
  bool first = true;
  for (auto &part : summary.parts) {
    if (!first) out += ", ";
    first = false;
    detail::append_json_string(out, part.part);
    out += ": {\"state\": \"";
    out += health_state_name(part.state);
    out += "\", \"reason\": ";
    append_text_or_null(out, part.reason);
    out += ", \"since\": \"" + detail::utc_text(part.since) + "\", \"last_good\": ";
    append_text_or_null(out, part.last_good ? detail::utc_text(*part.last_good) : "");
    flag("required", part.required);
    out += '}';
  }
  return out += "}}";
}

}  // namespace corbel
