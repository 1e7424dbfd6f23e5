#include "bundle/runner_metrics.hpp"

namespace corbel::detail {

void write_runner_metrics(metrics_writer &w, const std::string &runner, const std::vector<bundle_runner_status> &all) {
  for (const auto &s : all) {
    const auto labels = [&](const char *name = nullptr, const char *value = nullptr) {
      metric_labels out{{"runner", runner}, {"bundle", s.id}};
      if (name) out.emplace_back(name, value);
      return out;
    };
    w.gauge("corbel_bundle_handlers", "Handler processes.", labels(), s.handlers);
    w.gauge("corbel_bundle_handler_up", "0 while the handler of what is current does not start.", labels(),
            s.error.empty() ? 1 : 0);
    w.gauge("corbel_bundle_requests", "Requests now.", labels("state", "in_hand"), s.in_hand);
    w.gauge("corbel_bundle_requests", "Requests now.", labels("state", "waiting"), s.waiting);
    const auto counter = [&](const char *name, const char *help, const metric_labels &by, std::uint64_t n) {
      w.counter(name, help, by, static_cast<double>(n));
    };
    counter("corbel_bundle_requests_total", "Requests that ended.", labels("outcome", "answered"), s.answered);
    counter("corbel_bundle_requests_total", "Requests that ended.", labels("outcome", "failed"), s.failed);
    counter("corbel_bundle_handler_starts_total", "Handler processes started.", labels(), s.starts);
    counter("corbel_bundle_handler_deaths_total", "Handler processes that died or were ended.", labels(), s.deaths);
  }
}

}  // namespace corbel::detail
