#pragma once
/// What the fleet looked like at one moment, as Redis tells it: heartbeats, queues, streams, throttling. Pure; any thread.

#include "operations/latency_window.hpp"

#include <corbel/queue_inspector.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace corbel {

/// One process, out of its heartbeat.
struct seen_process {
  std::string instance, service_type, service_name, status;
  std::int64_t pid = 0, load = 0, capacity = 0;
  std::optional<std::int64_t> port = {};
  double last = 0;  ///< seconds since 1970
  bool draining = false;
  std::string metadata = "{}";  ///< JSON object

  /// None when it is no heartbeat.
  static std::optional<seen_process> parse(std::string_view json);
  bool healthy() const noexcept { return status == "HEALTHY" || status == "DEGRADED"; }
};

/// Connections that one process of ingress serves.
struct seen_streams {
  std::int64_t count = 0, sessions = 0, max = 0;
};

struct throttling_event {
  double timestamp = 0;
  std::int64_t http_status = 0;
  std::string json;  ///< as it was written
};

struct system_view {
  std::chrono::system_clock::time_point at;
  std::vector<seen_process> processes;
  queue_stats queue;
  std::map<std::string, std::string> analytics;        ///< JSON object by user type
  std::map<std::string, seen_streams> streams;         ///< by "instance:pid"
  std::vector<throttling_event> throttled;             ///< the newest first
  std::vector<latency_sample> rest, queue_wait, exec;  ///< of the last hour, the newest 5,000 of each
  std::string error;                                   ///< what could not be read; empty when all could

  double seconds() const { return std::chrono::duration<double>(at.time_since_epoch()).count(); }
  /// Processes of the chat service: "rest" is ingress, "proc" works the queue.
  std::vector<const seen_process *> of(std::string_view service_name) const;
};

}  // namespace corbel
