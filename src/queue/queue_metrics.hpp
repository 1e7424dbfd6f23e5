#pragma once
/// Owns: the place of one producer's or consumer's counters in the runtime's metrics, for as long as it lives. Callers:
/// producer_core, consumer_core. Thread: any. Those of one queue add up: they have the same labels.

#include "queue/counters.hpp"
#include "runtime/runtime_core.hpp"

#include <corbel/queue_options.hpp>

#include <memory>
#include <string>

namespace corbel::detail {

/// The name by which a queue goes in metrics, health and log: of a native queue its own, of a platform queue the begin of
/// its ready lists' keys.
std::string queue_label(const queue_options &options);

class queue_metrics {
 public:
  enum class side { producer, consumer };
  queue_metrics(runtime_core &runtime, const queue_options &options, side which,
                std::shared_ptr<const queue_counters> counters);
  ~queue_metrics();
  queue_metrics(const queue_metrics &) = delete;
  queue_metrics &operator=(const queue_metrics &) = delete;

 private:
  std::shared_ptr<runtime_core> runtime_;
  std::uint64_t source_;
};

void write_producer_metrics(metrics_writer &w, const std::string &queue, const queue_counters &c);
void write_consumer_metrics(metrics_writer &w, const std::string &queue, const queue_counters &c);

}  // namespace corbel::detail
