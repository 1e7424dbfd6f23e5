#pragma once
/// Metrics as the JSON of OTLP, the OpenTelemetry protocol, version 1: what POST /v1/metrics of a collector takes. Pure.

#include "metrics/writer.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace corbel {

struct otlp_source {
  std::string service, instance, tenant, project, version;
  std::chrono::system_clock::time_point started;
};

/// Counters become cumulative monotonic sums, gauges gauges, histograms cumulative histograms with explicit bounds.
std::string otlp_metrics(const std::vector<detail::metric_family> &families, const otlp_source &from,
                         std::chrono::system_clock::time_point now);

}  // namespace corbel
