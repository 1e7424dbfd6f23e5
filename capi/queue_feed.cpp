#include "capi/queue_feed.hpp"

namespace corbel::capi {

held_message message_notices::lost(const detail::message_ptr &m) {
  auto it = std::find_if(messages_.begin(), messages_.end(), [&](const held_message &held) { return held->state == m; });
  if (it == messages_.end()) {
    lost_.push_back(m);
    return {};
  }
  auto unseen = std::move(*it);
  messages_.erase(it);
  return unseen;
}

std::deque<held_message> message_notices::take_back(std::size_t but) {
  std::deque<held_message> taken;
  while (messages_.size() > but) {
    taken.push_back(std::move(messages_.back()));
    messages_.pop_back();
  }
  return taken;
}

void message_notices::add(std::unique_ptr<corbel_unworked> u) {
  constexpr std::size_t most = 1024;
  if (unworked_.size() == most) {
    unworked_.pop_front();
    dropped_ = true;
  }
  unworked_.push_back(std::move(u));
}

bool message_notices::next(corbel_event &out) noexcept {
  out.user = user_;
  out.source = CORBEL_SOURCE_QUEUE;
  if (!messages_.empty()) {
    out.kind = CORBEL_EVENT_MESSAGE;
    out.object = messages_.front().release();
    messages_.pop_front();
    return true;
  }
  while (!lost_.empty()) {
    const auto m = std::move(lost_.front());
    lost_.pop_front();
    if (m->asked) continue;  // settled meanwhile
    out.kind = CORBEL_EVENT_MESSAGE_LOST;
    out.value = static_cast<std::int64_t>(m->claimed->token);
    return true;
  }
  if (unworked_.empty()) return false;
  auto u = std::move(unworked_.front());
  unworked_.pop_front();
  out.kind = CORBEL_EVENT_UNWORKED;
  out.flags = std::exchange(dropped_, false) ? CORBEL_EVENT_DROPPED : 0;
  out.value = u->why;
  out.object = u.release();
  return true;
}

/// One take of the feed, and the next one after it.
class message_feed::taker final : public detail::operation<detail::message_ptr> {
 public:
  explicit taker(std::shared_ptr<message_feed> f) : feed_(std::move(f)) {}
  void finish(result<detail::message_ptr> r) noexcept override {
    std::unique_ptr<taker> self(this);
    if (!r) return;  // the consumer was drained, freed or closed
    auto core = (*r)->core;
    feed_->deliver(std::move(*r));
    feed_->take_one(*core);
  }

 private:
  const std::shared_ptr<message_feed> feed_;
};

void message_feed::listen(queue_options &options) {
  options.interrupted = [weak = weak_from_this()](const std::string &id, const std::string &body) {
    if (auto feed = weak.lock()) feed->unworked({CORBEL_UNWORKED_INTERRUPTED, id, body, {}});
  };
  options.ignored = [weak = weak_from_this()](const std::string &id, const std::string &body, const std::string &reason) {
    if (auto feed = weak.lock()) feed->unworked({CORBEL_UNWORKED_IGNORED, id, body, reason});
  };
}

void message_feed::start(detail::consumer_core &core) {
  core.on_lost([weak = weak_from_this()](const detail::message_ptr &m) {
    if (auto feed = weak.lock()) feed->lost(m);
  });
}

void message_feed::take(detail::consumer_core &core, std::uint32_t takers) {
  std::uint32_t more = 0;
  {
    std::lock_guard lock(mutex_);
    if (takers > takers_) more = takers - std::exchange(takers_, takers);
  }
  while (more-- > 0) take_one(core);
}

void message_feed::take_one(detail::consumer_core &core) {
  {
    std::lock_guard lock(mutex_);
    if (!delivers_ || to_.expired()) return;
  }
  core.start_take(detail::operation_ptr<detail::message_ptr>(new taker(shared_from_this())));
}

std::shared_ptr<message_notices> message_feed::notices() {
  auto listed = notices_.lock();
  if (!listed) notices_ = listed = std::make_shared<message_notices>(user_);
  return listed;
}

void message_feed::deliver(detail::message_ptr m) {
  held_message held(new corbel_message{std::move(m)});
  auto queue = to_.lock();
  std::lock_guard lock(mutex_);
  if (!delivers_ || !queue) return;
  auto to = notices();
  queue->notify(to, [&] { to->add(std::move(held)); });
}

void message_feed::lost(const detail::message_ptr &m) {
  held_message unseen;
  auto queue = to_.lock();
  std::lock_guard lock(mutex_);
  if (!tells_ || !queue) return;
  auto to = notices();
  queue->notify(to, [&] { unseen = to->lost(m); });
}

void message_feed::unworked(corbel_unworked u) {
  auto told = std::make_unique<corbel_unworked>(std::move(u));
  auto queue = to_.lock();
  std::lock_guard lock(mutex_);
  if (!tells_ || !queue) return;
  auto to = notices();
  queue->notify(to, [&] { to->add(std::move(told)); });
}

void message_feed::keep(std::size_t count) {
  std::deque<held_message> unseen;
  {
    auto queue = to_.lock();
    std::lock_guard lock(mutex_);
    auto listed = notices_.lock();
    if (queue && listed) queue->notify(listed, [&] { unseen = listed->take_back(count); });
  }
  while (!unseen.empty()) unseen.pop_front();
}

void message_feed::stop() {
  take_back();
  std::lock_guard lock(mutex_);
  tells_ = false;
}

void message_feed::take_back() {
  std::deque<held_message> unseen;
  auto queue = to_.lock();
  std::lock_guard lock(mutex_);
  if (!std::exchange(delivers_, false) || !queue) return;
  if (auto listed = notices_.lock()) queue->notify(listed, [&] { unseen = listed->take_back(); });
}

}  // namespace corbel::capi
