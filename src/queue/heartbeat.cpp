#include "queue/fleet/heartbeat_core.hpp"

namespace corbel {

queue_heartbeat::queue_heartbeat(const redis_pool &pool, heartbeat_options options)
    : core_(detail::heartbeat_core::open(pool, std::move(options))) {}

void queue_heartbeat::set_capacity(std::uint32_t capacity) { core_->set_capacity(capacity); }

detail::io_executor queue_heartbeat::executor() const { return core_->executor(); }

void queue_heartbeat::start_drain(const core_ptr &core, call c, detail::operation_ptr<void> op) {
  core->start_drain(c, std::move(op));
}

}  // namespace corbel
