#pragma once
/// A system_view in the platform's shape, as GET /monitoring/system and the metrics service answer it, and as the scalars of
/// the platform's Prometheus text. Pure; any thread.

#include "metrics/writer.hpp"
#include "operations/autoscale.hpp"
#include "operations/system_history.hpp"
#include "operations/system_view.hpp"

#include <corbel/config.hpp>

#include <string>

namespace corbel {

/// What is computed of a view once, for all who show it.
struct system_numbers {
  std::int64_t queued = 0, capacity = 0;  ///< ready and in flight; what the fleet of proc holds
  double pressure = 0;
  std::int64_t streams = 0, sessions = 0, max_streams = 0;
  std::int64_t rate_limit_429 = 0, backpressure_503 = 0;
  gateway_derived thresholds;
  scale_signals proc, ingress;

  static system_numbers of(const system_view &view, const gateway_settings &settings);
  system_sample sample(const system_view &view) const;
};

std::string system_body(const system_view &view, const gateway_settings &settings, const system_history &history);

/// kdcube_ingress_sse_total_connections and its kin.
void write_system_metrics(detail::metrics_writer &to, const system_view &view, const system_numbers &n,
                          const system_history &history);

}  // namespace corbel
