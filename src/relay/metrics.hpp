#pragma once
/// A relay's counts as metrics. Threads: the relay's executor.

#include "metrics/writer.hpp"
#include "relay/relay.hpp"

namespace corbel {

/// corbel_relay_*: frames, recoveries, sessions.
void write_metrics(detail::metrics_writer &to, const relay_stats &stats);

}  // namespace corbel
