#include "redis/link.hpp"

#include <algorithm>
#include <exception>
#include <vector>

namespace corbel::detail {

redis_state_change redis_link::last() const {
  std::lock_guard lock(mutex_);
  return state_;
}

void redis_link::trying() {
  const auto now = last();
  if (now.state == redis_state::unknown) return;
  set({redis_state::reconnecting, now.epoch, now.why}, !std::exchange(told_reconnecting_, true));
}

void redis_link::up(std::uint64_t epoch) {
  told_reconnecting_ = false;
  set({redis_state::up, epoch, {}}, true);
}

void redis_link::down(const error &why) {
  const auto now = last();
  // Failed tries of one outage are not told again.
  set({redis_state::down, now.epoch, why}, now.state == redis_state::up || now.state == redis_state::unknown);
}

void redis_link::resubscribed() {
  if (state() == redis_state::up) tell_all(true);
}

void redis_link::stop() { timer_.cancel(); }

void redis_link::set(redis_state_change next, bool told) {
  {
    std::lock_guard lock(mutex_);
    state_ = std::move(next);
  }
  if (!told || deferred_) return;
  const auto now = clock::now();
  tokens_ = std::min(burst, tokens_ + std::chrono::duration<double>(now - refilled_).count() * per_second);
  refilled_ = now;
  if (tokens_ >= 1) {
    tokens_ -= 1;
    return tell_all(false);
  }
  deferred_ = true;
  timer_.expires_after(std::chrono::milliseconds(static_cast<long>(1000 / per_second)));
  timer_.async_wait([self = shared_from_this()](boost::system::error_code ec) {
    if (ec) return;
    self->deferred_ = false;
    self->tell_all(false);
  });
}

void redis_link::tell_all(bool resubscribed) {
  std::vector<std::shared_ptr<subscriber>> all;
  redis_state_change now;
  {
    std::lock_guard lock(mutex_);
    now = state_;
    for (auto &[id, s] : subscribers_) all.push_back(s);
  }
  for (auto &s : all) tell(s, now, resubscribed);
}

void redis_link::tell(const std::shared_ptr<subscriber> &s, const redis_state_change &c, bool resubscribed) {
  {
    std::lock_guard lock(s->mutex);
    if (resubscribed) {
      s->resubscribed_pending = true;
    } else if (c.state == redis_state::reconnecting && s->state_pending && s->state.state == redis_state::down) {
      s->reconnecting_pending = true;
    } else {
      s->reconnecting_pending = false;
      s->state = c;
      s->state_pending = true;
      s->resubscribed_pending = false;
    }
    if (resubscribed && !s->state_pending) s->state = c;
  }
  s->runs_on->post_latest([s] {
    redis_state_change state;
    bool tell_state, tell_reconnecting, tell_resubscribed;
    {
      std::lock_guard lock(s->mutex);
      state = s->state;
      tell_state = std::exchange(s->state_pending, false);
      tell_reconnecting = std::exchange(s->reconnecting_pending, false);
      tell_resubscribed = std::exchange(s->resubscribed_pending, false);
    }
    // A listener that throws at one change still hears of the others.
    std::exception_ptr thrown;
    auto call = [&](const redis_state_change &now) {
      try {
        s->fn(now);
      } catch (...) {
        thrown = std::current_exception();
      }
    };
    if (tell_state) call(state);
    if (tell_reconnecting) call({redis_state::reconnecting, state.epoch, state.why});
    if (tell_resubscribed) call({redis_state::resubscribed, state.epoch, {}});
    if (thrown) std::rethrow_exception(thrown);
  });
}

std::uint64_t redis_link::listen(std::function<void(const redis_state_change &)> fn) {
  auto s = std::make_shared<subscriber>();
  s->runs_on = threads_.add("redis monitor");
  s->fn = std::move(fn);
  redis_state_change now;
  std::uint64_t id;
  {
    std::lock_guard lock(mutex_);
    id = ++last_id_;
    subscribers_.emplace(id, s);
    now = state_;
  }
  tell(s, now, false);
  return id;
}

bool redis_link::unlisten(std::uint64_t id) {
  std::shared_ptr<subscriber> s;
  {
    std::lock_guard lock(mutex_);
    auto it = subscribers_.find(id);
    if (it == subscribers_.end()) return false;
    s = std::move(it->second);
    subscribers_.erase(it);
  }
  s->runs_on->close();
  return true;
}

}  // namespace corbel::detail
