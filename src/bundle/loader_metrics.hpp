#pragma once
/// Owns: what a loader counts, and how it shows in the runtime's metrics. Thread: any.

#include "metrics/latency_histogram.hpp"
#include "metrics/writer.hpp"

#include <corbel/bundle_options.hpp>

#include <atomic>
#include <vector>

namespace corbel::detail {

struct loader_counters {
  std::atomic<std::uint64_t> looks{0}, failures{0}, fetches{0}, switches{0}, removed{0}, repaired{0};
  std::atomic<std::uint64_t> running{0};
};

void write_loader_metrics(metrics_writer &w, const std::string &loader, const loader_counters &c,
                          const std::vector<bundle_status> &all, std::chrono::system_clock::time_point now);

}  // namespace corbel::detail
