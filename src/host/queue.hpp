#pragma once
/// The queue that a host puts to or works, out of its options and the gateway document. Pure; any thread.

#include "host/options.hpp"

#include <corbel/queue_heartbeat.hpp>
#include <corbel/queue_options.hpp>

namespace corbel {

/// For producer and consumer. Admission, where the host has it: thresholds, buffer and multiplier of the document; the
/// heartbeats of its capacity source; max_queue_size of the component that works the queue, not of the one that puts.
queue_options queue_of(const host_options &o);

/// What the process says of itself: service "chat:proc" or "chat:rest", its concurrency, its port.
heartbeat_options heartbeat_of(const host_options &o, std::string service);

}  // namespace corbel
