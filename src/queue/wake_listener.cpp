#include "queue/wake_listener.hpp"

#include <chrono>

namespace corbel::detail {

namespace {
constexpr std::chrono::seconds ask_again{5};
}

wake_listener::wake_listener(const redis_pool &pool, std::shared_ptr<const queue_keys> keys, listeners tell)
    : pool_(pool), keys_(std::move(keys)), tell_(std::move(tell)), timer_(pool.executor()) {}

void wake_listener::start() {
  subscription_.emplace(pool_, 16);  // one wake tells as much as many
  receive();
  subscribe();
}

void wake_listener::stop() {
  timer_.cancel();
  subscription_.reset();
}

void wake_listener::subscribe() {
  subscription_->async_change(redis_subscription::change::subscribe, keys_->wake, {.timeout = call::unlimited},
                              [self = shared_from_this()](result<bool> r) {
                                if (!self->subscription_) return;
                                if (r) return self->tell_.woken();
                                if (r.error().is(status::closed)) return self->tell_.closed(r.error());
                                self->timer_.expires_after(ask_again);
                                self->timer_.async_wait([self](const boost::system::error_code &cancelled) {
                                  if (!cancelled && self->subscription_) self->subscribe();
                                });
                              });
}

void wake_listener::receive() {
  subscription_->async_receive(
      [self = shared_from_this()](result<std::vector<redis_notice>> batch) { self->received(batch); });
}

void wake_listener::received(const result<std::vector<redis_notice>> &batch) {
  if (!subscription_) return;
  if (!batch) return tell_.closed(batch.error());
  bool woken = false, reconnected = false;
  for (const auto &notice : *batch) {
    woken = woken || notice.type == redis_notice::kind::message;
    reconnected = reconnected || notice.type == redis_notice::kind::resubscribed;
  }
  receive();
  if (reconnected) tell_.reconnected();
  if (woken && subscription_) tell_.woken();
}

}  // namespace corbel::detail
