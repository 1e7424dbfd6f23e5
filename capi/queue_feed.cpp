#include "capi/queue_feed.hpp"

namespace corbel::capi {

/// One take of the feed, and the next one after it.
class message_feed::taker final : public detail::operation<detail::message_ptr> {
 public:
  explicit taker(std::shared_ptr<message_feed> f) : feed_(std::move(f)) {}
  void finish(result<detail::message_ptr> r) noexcept override {
    std::unique_ptr<taker> self(this);
    if (!r) return;  // the consumer was drained, freed or closed
    auto core = (*r)->core;
    feed_->deliver(std::move(*r));
    feed_->take(*core);
  }

 private:
  const std::shared_ptr<message_feed> feed_;
};

void message_feed::start(detail::consumer_core &core, std::uint32_t takers) {
  for (std::uint32_t i = 0; i < takers; ++i) take(core);
}

void message_feed::take(detail::consumer_core &core) {
  {
    std::lock_guard lock(mutex_);
    if (stopped_ || to_.expired()) return;
  }
  core.start_take(detail::operation_ptr<detail::message_ptr>(new taker(shared_from_this())));
}

void message_feed::deliver(detail::message_ptr m) {
  auto notice = std::make_shared<message_notice>(std::make_unique<corbel_message>(corbel_message{std::move(m)}), user_);
  auto queue = to_.lock();
  std::lock_guard lock(mutex_);
  if (stopped_ || !queue) return;
  std::erase_if(notices_, [](const std::weak_ptr<message_notice> &n) { return n.expired(); });
  notices_.push_back(notice);
  queue->notify(notice);
}

void message_feed::stop() {
  std::vector<std::weak_ptr<message_notice>> notices;
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    notices.swap(notices_);
  }
  for (auto &weak : notices)
    if (auto notice = weak.lock()) notice->take_back();
}

}  // namespace corbel::capi
