#include "queue/producer_core.hpp"

namespace corbel {

producer::producer(const redis_pool &pool, queue_options options)
    : core_(detail::producer_core::open(pool, std::move(options))) {}

detail::io_executor producer::executor() const { return core_->pool().executor(); }

void producer::set_admission(std::optional<queue_admission> admission) { core_->set_admission(std::move(admission)); }

void producer::start_put(const core_ptr &core, std::vector<put_item> items, call c, detail::operation_ptr<put_receipt> op) {
  core->put(std::move(items), c, std::move(op));
}

void producer::start_depth(const core_ptr &core, call c, detail::operation_ptr<std::int64_t> op) {
  core->depth(c, std::move(op));
}

}  // namespace corbel
