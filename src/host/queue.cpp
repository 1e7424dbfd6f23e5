#include "host/queue.hpp"

#include <algorithm>

namespace corbel {

queue_options queue_of(const host_options &o) {
  const auto &s = o.settings();
  queue_options q{.name = o.queue,
                  .layout = o.layout,
                  .tenant = s.tenant,
                  .project = s.project,
                  .concurrency = std::max(o.concurrency, 1u),
                  .lease = o.lease,
                  .crashed = o.crashed,
                  .instance = s.instance_id};
  if (!o.admission) return q;
  const auto &b = s.backpressure;
  const auto [type, name] = s.capacity_source();
  q.admission = queue_admission{.buffer = b.capacity_buffer,
                                .multiplier = b.queue_depth_multiplier,
                                .anonymous = b.anonymous_pressure_threshold,
                                .registered = b.registered_pressure_threshold,
                                .paid = b.paid_pressure_threshold,
                                .hard = b.hard_limit_threshold,
                                .max_queue_size = static_cast<std::uint64_t>(o.max_queue_size.value_or(0)),
                                .tenant = s.tenant,
                                .project = s.project,
                                .service = type + ":" + name,
                                .heartbeat_timeout = std::chrono::seconds(s.monitoring.heartbeat_timeout_seconds)};
  return q;
}

heartbeat_options heartbeat_of(const host_options &o, std::string service) {
  const auto &s = o.settings();
  return {.tenant = s.tenant,
          .project = s.project,
          .service = std::move(service),
          .instance = s.instance_id,
          .port = o.port == 0 ? std::nullopt : std::optional(o.port),
          .capacity = std::max(o.concurrency, 1u)};
}

}  // namespace corbel
