#include "queue/consumer_core.hpp"
#include "redis/pool_core.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace corbel::detail {

namespace {
constexpr std::chrono::milliseconds last_moment{500};
}

bool consumer_core::forked() const noexcept { return pool_.core()->runtime().forked(); }

error consumer_core::refusal() const {
  if (forked()) return forked_error();
  if (ended_) return error(status::closed, "the consumer's pool was closed or its runtime was shut down", "queue");
  return {};
}

void consumer_core::log(log_level level, std::string text) const {
  pool_.core()->runtime().log(level, "queue:" + queue_label(options_), std::move(text));
}

void consumer_core::log_settle(const message_state &m, settle how, const std::string &reason) const {
  const char *what = how == settle::done    ? "done"
                     : how == settle::retry ? "to be tried again"
                     : how == settle::bury  ? "dead"
                                            : "handed back";
  log(log_level::info, fmt::format("message '{}', attempt {}, {}: {}", m.claimed->id, m.claimed->attempt, what, reason));
}

std::chrono::milliseconds consumer_core::patience(call c) const noexcept {
  return c.timeout == c.timeout.zero() ? std::max(options_.lease, std::chrono::milliseconds(5000)) : c.timeout;
}

void consumer_core::start_take(operation_ptr<message_ptr> op, std::uint64_t ticket) {
  if (auto why = refusal()) return finish(std::move(op), result<message_ptr>(why));
  ticket = make_cancellable(op, ticket);
  on_loop([ticket, op = std::move(op)](consumer_core &self) mutable {
    if (self.plan_.stopped()) return finish(std::move(op), result<message_ptr>(self.why_stopped_));
    self.takers_.push_back({ticket, std::move(op)});
    self.plan_.taker_came();
    self.step();
  });
}

void consumer_core::start_drain(call c, operation_ptr<std::size_t> op, std::uint64_t ticket) {
  if (auto why = refusal()) return finish(std::move(op), result<std::size_t>(why));
  ticket = make_cancellable(op, ticket);
  on_loop([ticket, timeout = patience(c), op = std::move(op)](consumer_core &self) mutable {
    self.begin_drain(ticket, timeout, std::move(op));
  });
}

void consumer_core::begin_drain(std::uint64_t ticket, std::chrono::milliseconds timeout, operation_ptr<std::size_t> op) {
  drains_.emplace_back(ticket, std::move(op), executor());
  if (timeout >= timeout.zero()) {
    auto &timer = drains_.back().timer;
    timer.expires_after(timeout);
    timer.async_wait([self = shared_from_this(), ticket](const boost::system::error_code &cancelled) {
      if (!cancelled) self->drain_overdue(ticket);
    });
  }
  stop(error(status::closed, "the consumer was drained: open a new one", "queue"));
  check_ended();
}

/// What is still out goes back, so that others need not wait for its leases to end. A moment for the answers, no more.
void consumer_core::drain_overdue(std::uint64_t ticket) {
  batch_scope batch;
  const auto count = unsettled();
  std::vector<message_ptr> out;
  for (auto &[token, weak] : out_)
    if (auto m = weak.lock()) out.push_back(std::move(m));
  // The newest goes first, so that in the end the oldest is the next to be claimed.
  std::sort(out.begin(), out.end(), [](const auto &a, const auto &b) { return a->claimed->token > b->claimed->token; });
  for (const auto &m : out) {
    if (!m->begin_settling()) continue;
    log_settle(*m, settle::hand_back, "the drain's time is over");
    settle_now(m, settle::hand_back, last_moment, next_ticket(), [](const result<bool> &) {});
    tell_lost(m);
  }
  auto it = std::find_if(drains_.begin(), drains_.end(), [&](const waiting_drain &d) { return d.ticket == ticket; });
  if (it == drains_.end()) return;
  it->left = count;
  it->timer.expires_after(last_moment);
  it->timer.async_wait([self = shared_from_this(), ticket, count](const boost::system::error_code &cancelled) {
    if (!cancelled) self->end_drain(ticket, count);
  });
}

void consumer_core::end_drain(std::uint64_t ticket, result<std::size_t> r) {
  auto it = std::find_if(drains_.begin(), drains_.end(), [&](const waiting_drain &d) { return d.ticket == ticket; });
  if (it == drains_.end()) return;
  auto op = std::move(it->op);
  drains_.erase(it);
  finish(std::move(op), std::move(r));
}

void consumer_core::end_drains(const result<std::size_t> &r) {
  while (!drains_.empty()) {
    const auto left = drains_.front().left;
    end_drain(drains_.front().ticket, r && *r < left ? result<std::size_t>(left) : r);
  }
}

void consumer_core::cancel(std::uint64_t ticket) {
  inbox_.run(*this);  // what is to be cancelled may be there still, for another thread's post to bring
  end_operation(ticket);
}

void consumer_core::end_operation(std::uint64_t ticket) {
  batch_scope batch;
  auto it = std::find_if(takers_.begin(), takers_.end(), [&](const taker &t) { return t.ticket == ticket; });
  if (it != takers_.end()) {
    auto op = std::move(it->op);
    takers_.erase(it);
    plan_.taker_left();
    finish(std::move(op), result<message_ptr>(error(status::cancelled, "the wait for a message was cancelled", "queue")));
    return step();
  }
  if (settler_->end(ticket, error(status::cancelled, "the settling was cancelled; it may be repeated", "queue", {},
                                  error::maybe_applied)))
    return;
  if (auto w = watched_.find(ticket); w != watched_.end()) return stop_watching(w->second.lock(), ticket);
  end_drain(ticket, error(status::cancelled, "the wait for a drain was cancelled; the consumer stays stopped", "queue"));
}

void consumer_core::stop_watching(const message_ptr &m, std::uint64_t ticket) {
  watched_.erase(ticket);
  if (!m) return;
  auto w = std::find_if(m->watchers.begin(), m->watchers.end(), [&](const auto &each) { return each.ticket == ticket; });
  if (w == m->watchers.end()) return;
  auto op = std::move(w->op);
  m->watchers.erase(w);
  finish(std::move(op), result<bool>(error(status::cancelled, "the wait for a lost lease was cancelled", "queue")));
}

void consumer_core::release() {
  const error freed(status::cancelled, "the consumer was freed", "queue");
  stop(freed);
  end_drains(freed);
  check_ended();
}

void consumer_core::stop(const error &why) {
  if (plan_.stopped()) return;
  auto self = shared_from_this();
  plan_.stop();
  why_stopped_ = why;
  if (peeks_) {
    disarm();
    peeks_->forget(waiter_);
    reaper_->stop();
    promoter_->stop();
  }
  poll_timer_.cancel();
  ahead_timer_.cancel();
  armed_timer_.cancel();
  step();
  while (!takers_.empty()) {
    auto op = std::move(takers_.front().op);
    takers_.pop_front();
    finish(std::move(op), result<message_ptr>(why));
  }
}

void consumer_core::pool_ended(const error &why) {
  if (ended_.exchange(true)) return;
  auto self = shared_from_this();
  batch_scope batch;
  const auto closed = why.is(status::closed) ? why : error(status::closed, "the consumer's pool was closed", "queue");
  stop(closed);
  if (leases_) leases_->stop();
  sampler_.reset();
  settler_->end_all(closed);
  while (!watched_.empty()) stop_watching(watched_.begin()->second.lock(), watched_.begin()->first);
  end_drains(unsettled());
  check_ended();
}

/// Something ended: was it the last thing that somebody waits for?
void consumer_core::check_ended() {
  if (settler_->under_way() == 0 && idle_) std::exchange(idle_, nullptr)();
  if (!plan_.stopped() || plan_.claiming() || unsettled() > 0) return;
  if (leases_) leases_->stop();
  sampler_.reset();
  if (follower_ != 0) pool_.core()->followers().remove(std::exchange(follower_, 0));
  end_drains(std::size_t{0});
}

// ---- component ----

loop &consumer_core::home() noexcept { return pool_.core()->home(); }

std::string consumer_core::left() const {
  const auto n = settler_->under_way();
  return n == 0 ? "" : fmt::format("queue '{}' ({} settlements)", options_.name, n);
}

void consumer_core::drain(std::function<void()> idle) {
  batch_scope batch;
  stop(error(status::closed, "the runtime is shut down", "queue"));
  idle_ = std::move(idle);
  check_ended();
}

void consumer_core::abort() { pool_ended(error(status::closed, "the runtime is shut down", "queue")); }

}  // namespace corbel::detail
