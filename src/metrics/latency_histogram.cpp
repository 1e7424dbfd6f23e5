#include "metrics/latency_histogram.hpp"

#include <algorithm>

namespace corbel::detail {

using namespace std::chrono_literals;

const std::array<std::chrono::nanoseconds, latency_histogram::bounds> latency_histogram::upper = {
    100us, 200us, 300us, 500us, 1ms, 2ms, 3ms, 5ms, 10ms, 20ms, 30ms, 50ms,
    100ms, 200ms, 300ms, 500ms, 1s,  2s,  3s,  5s,  10s,  20s,  30s,  60s};

void latency_histogram::record(std::chrono::nanoseconds d) noexcept {
  d = std::max(d, 0ns);
  auto bucket = static_cast<std::size_t>(std::lower_bound(upper.begin(), upper.end(), d) - upper.begin());
  counts_[bucket].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(d.count(), std::memory_order_relaxed);
}

latency_histogram::snapshot latency_histogram::read() const noexcept {
  snapshot s;
  for (std::size_t i = 0; i < s.counts.size(); ++i) s.counts[i] = counts_[i].load(std::memory_order_relaxed);
  s.sum = std::chrono::nanoseconds(sum_.load(std::memory_order_relaxed));
  return s;
}

}  // namespace corbel::detail
