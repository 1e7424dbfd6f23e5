#include "redis/pool_core.hpp"

#include <corbel/redis_subscription.hpp>

namespace corbel {

redis_subscription::redis_subscription(const redis_pool &pool, std::size_t max_notices)
    : pool_(pool), mailbox_(std::make_shared<detail::redis_mailbox>(max_notices)) {}

redis_subscription::~redis_subscription() {
  if (mailbox_) pool_.core()->forget(mailbox_);
}

redis_subscription::redis_subscription(redis_subscription &&o) noexcept
    : pool_(std::move(o.pool_)), mailbox_(std::move(o.mailbox_)) {}

redis_subscription &redis_subscription::operator=(redis_subscription &&o) noexcept {
  std::swap(pool_, o.pool_);
  std::swap(mailbox_, o.mailbox_);
  return *this;
}

detail::io_executor redis_subscription::executor() const { return pool_.executor(); }

void redis_subscription::start_change(change what, std::string name, call c, detail::operation_ptr<bool> op) {
  pool_.core()->change(mailbox_, what, std::move(name), std::move(op), c);
}

void redis_subscription::start_receive(detail::operation_ptr<std::vector<redis_notice>> op) {
  if (auto why = pool_.core()->runtime().forked() ? detail::forked_error() : error())
    return detail::finish(std::move(op), result<std::vector<redis_notice>>(why));
  if (op->cancellable())
    op->on_cancel([box = std::weak_ptr(mailbox_)] {
      if (auto b = box.lock()) b->cancel_receive();
    });
  mailbox_->receive(std::move(op));
}

}  // namespace corbel
