#include "postgres/desk.hpp"

#include "base/random.hpp"
#include "postgres/exchange.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace corbel::detail {

using namespace std::chrono_literals;

pg_desk::pg_desk(std::shared_ptr<loop> where, std::shared_ptr<const pg_settings> settings,
                 std::shared_ptr<pg_counters> counters, offload &blocking, connect_gate &gate,
                 std::weak_ptr<pg_pool_core> pool, listener &l)
    : loop_(std::move(where)),
      settings_(std::move(settings)),
      counters_(std::move(counters)),
      blocking_(blocking),
      gate_(gate),
      pool_(std::move(pool)),
      listener_(l),
      ledger_({settings_->options.max_size, settings_->options.max_waiting, settings_->options.min_size, false}),
      retry_(loop_->context()),
      idle_timer_(loop_->context()) {}

pg_desk::connection_ptr pg_desk::try_idle() noexcept {
  std::lock_guard lock(mutex_);
  return take_idle();
}

pg_desk::connection_ptr pg_desk::take_idle() noexcept {
  while (!idle_.empty() && waiting_.empty()) {
    auto c = std::move(idle_.back().connection);
    idle_.pop_back();
    if (c->is_closed()) {  // its owner is about to hear of it, and finds nothing more to count
      ledger_.idle_closed();
      continue;
    }
    (void)ledger_.want_lease();  // counts one idle as leased
    c->desk.idle_since = {};
    return c;
  }
  return nullptr;
}

void pg_desk::want(waiter w) {
  ledger::answer answer;
  std::string counts;
  {
    std::unique_lock lock(mutex_);
    if (auto c = take_idle()) {
      lock.unlock();
      return hand_over(std::move(w), std::move(c));
    }
    answer = stopped_ ? ledger::answer::never : ledger_.want_lease();
    if (answer == ledger::answer::wait || answer == ledger::answer::open) {
      const auto deadline = w.deadline;
      w.waited = true;
      waiting_.push_back(std::move(w));
      const bool open = answer == ledger::answer::open;
      loop_->post([self = shared_from_this(), deadline, open] {
        batch_scope batch;
        self->listener_.desk_deadline(deadline);
        if (self->is_hopeless()) return self->fail_waiting(self->last_error_);
        if (open) self->open_one();
        self->reserve_for_waiters();
      });
      return;
    }
    if (!stopped_) counts = ledger_.text();
  }
  counters_->refused.fetch_add(1, std::memory_order_relaxed);
  finish(std::move(w.op),
         result<pg_lease>(counts.empty()
                              ? error(status::closed, "the pool was closed", "postgres")
                              : error(status::busy,
                                      fmt::format("{} callers wait for a lease already, the most that may (max_waiting); {}",
                                                  limits().max_waiting, counts),
                                      "postgres", "POOL", error::retriable)));
}

void pg_desk::hand_over(waiter w, connection_ptr c) {
  c->desk.idle_since = {};
  if (w.waited) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - w.since).count();
    counters_->waits.fetch_add(1, std::memory_order_relaxed);
    counters_->waited_ms.fetch_add(static_cast<std::uint64_t>(ms), std::memory_order_relaxed);
  }
  finish(std::move(w.op), result<pg_lease>(pg_lease(std::move(c))));
}

void pg_desk::give_back(connection_ptr c, bool discard) noexcept {
  waiter next;
  {
    std::lock_guard lock(mutex_);
    if (stopped_) return;
    // Restoring takes the loop; so does the choice between a waiter and a statement that came before it.
    const bool is_clean = !discard && !c->is_closed() && !c->in_transaction() &&
                          c->desk.given.load(std::memory_order_relaxed) == c->settled() && !settings_->options.discard_all;
    if (!is_clean || queued_.load(std::memory_order_relaxed) != 0 || ledger_.is_over() || slot_waiter_ || is_old(*c)) {
      loop_->post([self = shared_from_this(), c = std::move(c), discard] {
        batch_scope batch;
        if (discard)
          self->end_lease(c, "discarded by its holder");
        else
          self->restore(c);
      });
      return;
    }
    if (ledger_.returned()) {
      next = std::move(waiting_.front());
      waiting_.pop_front();
    } else {
      const auto now = clock::now();
      c->desk.idle_since = now;
      idle_.push_back({std::move(c), now});
      if (std::exchange(idle_armed_, true)) return;
      loop_->post([self = shared_from_this()] { self->arm_idle(); });
      return;
    }
  }
  hand_over(std::move(next), std::move(c));
}

void pg_desk::place(connection_ptr c, ledger::from where) {
  if (c->is_closed()) return;
  waiter next;
  bool is_shared = false;
  std::function<void()> take_slot;
  {
    std::lock_guard lock(mutex_);
    if (stopped_) return;
    if (slot_waiter_ || ledger_.is_over() || is_old(*c)) {
      is_shared = false;
    } else if (!queue_.empty() && (waiting_.empty() || queue_.front()->since <= waiting_.front().since)) {
      ledger_.settle_to_share(where);
      is_shared = true;
    } else if (ledger_.settle(where)) {
      next = std::move(waiting_.front());
      waiting_.pop_front();
    } else {
      const auto now = clock::now();
      if (c->desk.idle_since == clock::time_point{}) c->desk.idle_since = now;
      idle_.push_back({std::move(c), now});
      if (!std::exchange(idle_armed_, true)) loop_->post([self = shared_from_this()] { self->arm_idle(); });
      return;
    }
  }
  if (is_shared) {
    share(c);
    return dispatch();
  }
  if (next.op) return hand_over(std::move(next), std::move(c));
  retire(std::move(c), where, "closed: it was old, or one too many");
}

void pg_desk::retire(connection_ptr c, ledger::from where, const char *why) {
  std::erase(all_, c);
  {
    std::lock_guard lock(mutex_);
    if (stopped_) return;
    ledger_.gone(where);
  }
  c->dismiss(error(status::cancelled, why, "postgres", "", error::retriable));
  open_more();
}

pg_desk::connection_ptr pg_desk::pointer_to(const pg_connection &c) const {
  for (auto &p : all_)
    if (p.get() == &c) return p;
  return nullptr;
}

void pg_desk::connection_closed(pg_connection &c, const error &why, pg_connection::request_list sent,
                                pg_connection::request_list unsent) {
  auto keep = shared_from_this();
  batch_scope batch;
  auto self = pointer_to(c);
  if (!self) {
    open_failed(c, why);
  } else {
    std::erase(all_, self);
    plan_.lost(clock::now());
    has_lost_ = true;
    if (c.desk.slot != share_plan::none) {
      unshare(c);
      std::lock_guard lock(mutex_);
      ledger_.gone(ledger::from::pipeline);
    } else if (c.desk.restoring == pg_connection::restoring_step::draining) {
      std::lock_guard lock(mutex_);
      ledger_.discarded();
    } else {
      std::lock_guard lock(mutex_);
      if (std::erase_if(idle_, [&](auto &i) { return i.connection.get() == &c; }) != 0) ledger_.idle_closed();
    }
    if (!why.is(status::cancelled)) listener_.desk_lost(why);
  }
  counters_->lost.add(sent.size());
  const error lost(status::lost, fmt::format("{}; the statement was sent and may have been applied", why.message()),
                   why.source(), why.native(), error::maybe_applied | error::retriable);
  const error not_sent(status::lost, fmt::format("{}; the statement was not run; take a new lease", why.message()),
                       why.source(), why.native(), error::retriable);
  // Those of leases end with their connection; the others go on where that is known to be safe, in their order.
  std::deque<pg_request *> again, failed;
  for (auto *r : sent) {
    if (!r->on_lease && r->may_repeat && !r->repeated) {
      r->repeated = true;
      counters_->repeated.add(1);
      again.push_back(r);
    } else {
      failed.push_back(r);
    }
  }
  for (auto *r : unsent) (r->on_lease ? failed : again).push_back(r);
  queue_.insert(queue_.begin(), again.begin(), again.end());
  count_queue();
  for (auto *r : failed) {
    const bool was_sent = std::find(sent.begin(), sent.end(), r) != sent.end();
    r->finish(was_sent ? lost : not_sent);
  }
  dispatch();
  open_more(wished());
}

ledger::counts pg_desk::counts() const {
  std::lock_guard lock(mutex_);
  return ledger_.now();
}

std::string pg_desk::text() const {
  std::lock_guard lock(mutex_);
  return ledger_.text();
}

pg_limits pg_desk::limits() const {
  std::lock_guard lock(mutex_);
  const auto &l = ledger_.bounds();
  return {l.min_size, l.max_size, l.max_waiting};
}

}  // namespace corbel::detail
