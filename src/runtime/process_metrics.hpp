#pragma once
/// What the system says of this process, under the names that every Prometheus client uses. Reads /proc. Any thread.

#include "metrics/writer.hpp"

namespace corbel::detail {

/// process_resident_memory_bytes, process_virtual_memory_bytes, process_cpu_seconds_total, process_threads,
/// process_open_fds, process_max_fds, process_start_time_seconds.
void write_process_metrics(metrics_writer &to);

}  // namespace corbel::detail
