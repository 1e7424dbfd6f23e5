// Statements of many callers to the connections that they share.
#include "base/random.hpp"
#include "postgres/desk.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace corbel::detail {

void pg_desk::submit(pg_request *r) {
  if (stopped_) return r->finish(error(status::closed, "the pool was closed", "postgres"));
  if (is_hopeless()) return r->finish(last_error_);
  if (queue_.size() >= limits().max_waiting) {
    counters_->refused.fetch_add(1, std::memory_order_relaxed);
    return r->finish(error(status::busy,
                           fmt::format("{} statements wait for a connection already, the most that may (max_waiting); {}",
                                       queue_.size(), text()),
                           "postgres", "WAITING", error::retriable));
  }
  queue_.push_back(r);
  count_queue();
  dispatch();
}

void pg_desk::queue_front(pg_request *r) {
  queue_.push_front(r);
  count_queue();
}

pg_desk::connection_ptr pg_desk::idle_to_share() {
  std::lock_guard lock(mutex_);
  while (!idle_.empty() && waiting_.empty()) {
    auto c = std::move(idle_.back().connection);
    idle_.pop_back();
    if (c->is_closed()) {
      ledger_.idle_closed();
      continue;
    }
    ledger_.share_idle();
    return c;
  }
  return nullptr;
}

share_plan::slot pg_desk::pick_or_share() {
  const auto slot = share_.pick();
  if (slot != share_plan::none && share_.outstanding(slot) == 0) return slot;
  const auto c = idle_to_share();  // one that nobody uses is better
  if (!c) return slot;
  share(c);
  return c->desk.slot;
}

void pg_desk::share(const connection_ptr &c) {
  const auto slot = share_.join();
  c->desk.slot = slot;
  c->desk.idle_since = {};
  if (sharing_.size() <= slot) sharing_.resize(slot + 1);
  sharing_[slot] = c;
}

void pg_desk::unshare(pg_connection &c) {
  const auto slot = std::exchange(c.desk.slot, share_plan::none);
  share_.leave(slot);
  sharing_[slot].reset();
}

bool pg_desk::can_grow() const {
  std::lock_guard lock(mutex_);
  const auto n = ledger_.now();
  return n.opening != 0 || !ledger_.is_bounded() || n.total() < ledger_.bounds().max_size;
}

void pg_desk::dispatch() {
  if (dispatching_ || stopped_) return;
  dispatching_ = true;
  const auto now = clock::now();
  const auto patience = std::max(settings_->options.share, std::chrono::milliseconds(10));
  const bool may_grow = !retry_armed_ && can_grow();
  bool is_shared = false;
  while (!queue_.empty()) {
    const bool joins = !may_grow && queue_.front()->statement.has(pg_statement::is_read_only);
    auto slot = joins ? share_.pick_group() : share_plan::none;
    if (slot == share_plan::none) slot = pick_or_share();
    if (slot == share_plan::none) break;
    // Behind another statement only when no connection of its own is to be had soon.
    if (share_.outstanding(slot) != 0 && may_grow && now - queue_.front()->since < patience) break;
    is_shared = is_shared || share_.outstanding(slot) != 0;
    auto *r = queue_.front();
    queue_.pop_front();
    share_.sent(slot, now);
    auto &c = *sharing_[slot];
    c.desk.given.fetch_add(1, std::memory_order_relaxed);
    c.submit(r);
  }
  count_queue();
  dispatching_ = false;
  if (!queue_.empty() && may_grow)
    listener_.desk_deadline(queue_.front()->since + patience);
  else if (settings_->options.share.count() > 0 && is_shared)
    listener_.desk_deadline(now + settings_->options.share);
  if (is_shared || !queue_.empty()) {
    reserve_for_waiters();
    open_more(static_cast<std::uint32_t>(std::max<std::size_t>(queue_.size(), 1)));
  }
}

void pg_desk::connection_answered(pg_connection &c, std::uint32_t answered, std::uint32_t abandoned) {
  const auto slot = c.desk.slot;
  if (slot == share_plan::none) {
    if (c.desk.restoring == pg_connection::restoring_step::draining)
      restore(c.shared_from_this());
    else if (answered != 0 && c.head_is_abandoned())
      c.cancel_on_server();
    return;
  }
  const bool has_drained = share_.answered(slot, answered, abandoned, clock::now());
  if (!has_drained) {
    if (answered != 0 && share_.may_cancel(slot)) c.cancel_on_server();
    if (!queue_.empty()) dispatch();
    return;
  }
  // A cancel request that is still on its way could hit whatever came next.
  if (c.is_cancelling()) return;
  auto pointer = sharing_[slot];
  unshare(c);
  place(std::move(pointer), ledger::from::pipeline);
}

bool pg_desk::connection_is_alone() const {
  std::lock_guard lock(mutex_);
  const auto n = ledger_.now();
  return n.pipelines + n.leased == 1;
}

void pg_desk::connection_again(pg_connection &c, pg_request *r) {
  if (stopped_) return r->finish(error(status::cancelled, "the pool was closed", "postgres"));
  if (r->on_lease) {
    c.desk.given.fetch_add(1, std::memory_order_relaxed);
    return c.submit(r);
  }
  queue_front(r);
  dispatch();
}

void pg_desk::reserve_for_waiters() {
  std::size_t wanted = 0;
  {
    std::lock_guard lock(mutex_);
    const auto n = ledger_.now();
    if (n.waiting <= n.opening + n.idle) return;
    wanted = n.waiting - n.opening - n.idle;
  }
  for (auto closing = share_.closing(); closing < wanted; ++closing) {
    const auto slot = share_.pick();
    if (slot == share_plan::none) return;
    share_.close(slot);
  }
}

}  // namespace corbel::detail
