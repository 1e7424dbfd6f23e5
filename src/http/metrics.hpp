#pragma once
/// A server's counts as metrics. Threads: the server's executor.

#include "http/stats.hpp"
#include "metrics/writer.hpp"

namespace corbel {

/// corbel_http_*: connections, requests, event streams.
void write_metrics(detail::metrics_writer &to, const http_stats &stats);

}  // namespace corbel
