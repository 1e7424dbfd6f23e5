#include <corbel/log.hpp>
#include <corbel/trace.hpp>

#include <fmt/format.h>

namespace corbel {

std::vector<log_field> log_context::fields() const {
  std::vector<log_field> all;
  all.reserve(10);
  auto add = [&](const char *name, const std::string &value) {
    if (!value.empty()) all.push_back({name, value});
  };
  add("request_id", request_id);
  add("tenant", tenant);
  add("project", project);
  add("bundle_id", bundle_id);
  add("session_id", session_id);
  if (auto trace = trace_context::parse(traceparent)) {
    add("trace_id", trace->trace_id());
    add("span_id", trace->span_id());
  }
  add("source", source);
  add("error_class", error_class);
  if (duration.count() >= 0)
    add("duration_ms", fmt::format("{:.3f}", std::chrono::duration<double, std::milli>(duration).count()));
  return all;
}

}  // namespace corbel
