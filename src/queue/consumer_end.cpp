#include "queue/consumer_core.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>

namespace corbel::detail {

std::chrono::milliseconds consumer_core::patience(call c) const noexcept {
  return c.timeout == c.timeout.zero() ? std::max(options_.lease, std::chrono::milliseconds(5000)) : c.timeout;
}

template <class T>
std::uint64_t consumer_core::make_cancellable(operation_ptr<T> &op, void (consumer_core::*cancel)(std::uint64_t)) {
  const auto id = ++last_id_;
  if (op->cancellable()) {
    op->on_cancel([weak = weak_from_this(), cancel, id] {
      auto core = weak.lock();
      if (core) boost::asio::post(core->executor(), [core, cancel, id] { ((*core).*cancel)(id); });
    });
  }
  return id;
}

void consumer_core::take(operation_ptr<message> op) {
  if (forked()) return finish(std::move(op), result<message>(forked_error()));
  const auto id = make_cancellable(op, &consumer_core::cancel_take);
  boost::asio::post(executor(), [self = shared_from_this(), id, op = std::move(op)]() mutable {
    if (self->plan_.stopped()) return finish(std::move(op), result<message>(self->why_stopped_));
    self->takers_.push_back({id, std::move(op)});
    self->plan_.taker_came();
    self->step();
  });
}

void consumer_core::cancel_take(std::uint64_t id) {
  auto it = std::find_if(takers_.begin(), takers_.end(), [id](const taker &t) { return t.id == id; });
  if (it == takers_.end()) return;
  auto op = std::move(it->op);
  takers_.erase(it);
  plan_.taker_left();
  finish(std::move(op), result<message>(error(status::cancelled, "the wait for a message was cancelled", "queue")));
  step();
}

void consumer_core::drain(call c, operation_ptr<std::size_t> op) {
  if (forked()) return finish(std::move(op), result<std::size_t>(forked_error()));
  const auto id = make_cancellable(op, &consumer_core::cancel_drain);
  boost::asio::post(executor(), [self = shared_from_this(), id, timeout = patience(c), op = std::move(op)]() mutable {
    self->begin_drain(id, timeout, std::move(op));
  });
}

void consumer_core::begin_drain(std::uint64_t id, std::chrono::milliseconds timeout, operation_ptr<std::size_t> op) {
  drains_.emplace_back(id, std::move(op), executor());
  if (timeout >= timeout.zero()) {
    auto &timer = drains_.back().timer;
    timer.expires_after(timeout);
    timer.async_wait([self = shared_from_this(), id](const boost::system::error_code &cancelled) {
      if (!cancelled) self->end_drain(id, result<std::size_t>(self->left()));
    });
  }
  stop(error(status::closed, "the consumer was drained: open a new one", "queue"));
  check_ended();
}

void consumer_core::end_drain(std::uint64_t id, result<std::size_t> r) {
  auto it = std::find_if(drains_.begin(), drains_.end(), [id](const waiting_drain &d) { return d.id == id; });
  if (it == drains_.end()) return;
  auto op = std::move(it->op);
  drains_.erase(it);
  finish(std::move(op), std::move(r));
}

void consumer_core::cancel_drain(std::uint64_t id) {
  end_drain(id, error(status::cancelled, "the wait for a drain was cancelled; the consumer stays stopped", "queue"));
}

void consumer_core::release() {
  const error freed(status::cancelled, "the consumer was freed", "queue");
  stop(freed);
  while (!drains_.empty()) end_drain(drains_.front().id, freed);
  check_ended();
}

void consumer_core::pool_ended(const error &why) {
  stop(why.is(status::closed) ? why : error(status::closed, "the consumer's pool was closed", "queue"));
  leases_->stop();
  while (!drains_.empty()) end_drain(drains_.front().id, left());
}

void consumer_core::stop(const error &why) {
  if (!plan_.stopped()) {
    plan_.stop();
    why_stopped_ = why;
    if (wakes_) wakes_->stop();
    reaper_->stop();
    poll_timer_.cancel();
    step();
  }
  while (!takers_.empty()) {
    auto op = std::move(takers_.front().op);
    takers_.pop_front();
    finish(std::move(op), result<message>(why));
  }
}

void consumer_core::check_ended() {
  if (!plan_.stopped() || plan_.claiming() || left() > 0) return;
  leases_->stop();
  while (!drains_.empty()) end_drain(drains_.front().id, std::size_t{0});
}

}  // namespace corbel::detail
