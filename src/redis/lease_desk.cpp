#include "redis/lease_desk.hpp"

#include "base/random.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace corbel::detail {

using namespace std::chrono_literals;

lease_desk::lease_desk(std::shared_ptr<loop> where, std::shared_ptr<const redis_settings> settings,
                       std::shared_ptr<redis_counters> counters, connect_gate &gate, std::weak_ptr<redis_pool_core> pool,
                       deadline_function watch_deadline)
    : loop_(std::move(where)),
      settings_(std::move(settings)),
      counters_(std::move(counters)),
      gate_(gate),
      pool_(std::move(pool)),
      watch_deadline_(std::move(watch_deadline)),
      ledger_({settings_->options.max_size, settings_->options.max_waiting}),
      retry_(loop_->context()),
      idle_timer_(loop_->context()) {}

std::shared_ptr<redis_connection> lease_desk::try_idle() noexcept {
  std::lock_guard lock(mutex_);
  return take_idle();
}

std::shared_ptr<redis_connection> lease_desk::take_idle() noexcept {
  while (!idle_.empty() && waiting_.empty()) {
    auto c = std::move(idle_.back().connection);
    idle_.pop_back();
    if (c->is_closed()) {
      ledger_.idle_closed();
      continue;
    }
    (void)ledger_.want_lease();  // counts one idle as leased
    c->lease.leased.store(true, std::memory_order_release);
    return c;
  }
  return nullptr;
}

void lease_desk::want(waiter w) {
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
        self->watch_deadline_(deadline);
        if (open) self->open_one();
      });
      return;
    }
    counts = ledger_.text();
    if (stopped_) counts.clear();
  }
  counters_->refused.fetch_add(1, std::memory_order_relaxed);
  error why = counts.empty() ? error(status::closed, "the pool was closed", "redis")
              : answer == ledger::answer::never
                  ? error(status::busy,
                          "the pool's cap of 1 connection (max_size) is kept for the command pipeline: no lease is "
                          "possible; raise max_size to 2 or more",
                          "redis", "POOL")
                  : error(status::busy,
                          fmt::format("{} callers wait for a lease already, the most that may (max_waiting); {}",
                                      settings_->options.max_waiting, counts),
                          "redis", "POOL", error::retriable);
  finish(std::move(w.op), result<redis_lease>(why));
}

void lease_desk::hand_over(waiter w, connection_ptr c) {
  c->lease.leased.store(true, std::memory_order_release);
  if (w.waited) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - w.since).count();
    counters_->waits.fetch_add(1, std::memory_order_relaxed);
    counters_->waited_ms.fetch_add(static_cast<std::uint64_t>(ms), std::memory_order_relaxed);
  }
  finish(std::move(w.op), result<redis_lease>(redis_lease(std::move(c))));
}

bool lease_desk::is_reusable(const redis_connection &c) const noexcept {
  const auto &l = c.lease;
  return !stopped_ && !c.is_closed() && l.sent == c.settled() && !l.in_multi && !l.watching && !l.altered;
}

void lease_desk::give_back(connection_ptr c) noexcept {
  waiter next;
  {
    std::lock_guard lock(mutex_);
    if (stopped_) return;
    const auto life = settings_->options.lifetime;
    if (slot_waiter_ || ledger_.retires_returned() || !is_reusable(*c) ||
        (life > 0ms && clock::now() - c->opened_at() >= life)) {
      // discarded below, outside the lock
    } else if (ledger_.returned()) {
      next = std::move(waiting_.front());
      waiting_.pop_front();
    } else {
      c->lease.leased.store(false, std::memory_order_release);
      idle_.push_back({std::move(c), clock::now()});
      if (std::exchange(idle_armed_, true)) return;
      loop_->post([self = shared_from_this()] { self->arm_idle(); });
      return;
    }
  }
  if (next.op) return hand_over(std::move(next), std::move(c));
  loop_->post([self = shared_from_this(), c = std::move(c)]() mutable { self->discard(std::move(c)); });
}

void lease_desk::discard(connection_ptr c) {
  std::erase(all_, c);
  c->dismiss(error(status::cancelled, "the lease was given back before the command was answered", "redis", "",
                   error::maybe_applied));
  {
    std::lock_guard lock(mutex_);
    if (stopped_) return;
    ledger_.discarded();
  }
  open_more();
}

void lease_desk::open_more() {
  for (;;) {
    std::function<void()> take_slot;
    {
      std::lock_guard lock(mutex_);
      if (stopped_) return;
      if (slot_waiter_ && ledger_.add_subscription()) {
        take_slot = std::exchange(slot_waiter_, nullptr);
      } else if (retry_armed_ || !ledger_.try_open()) {  // the retry's timer calls again
        return;
      }
    }
    if (take_slot)
      take_slot();
    else
      open_one();
  }
}

void lease_desk::open_one() {
  {
    std::lock_guard lock(mutex_);
    if (stopped_) return;                            // since it was asked for
    if (retry_armed_) return ledger_.open_failed();  // the plan says when; the count is taken again then
  }
  auto c = std::make_shared<redis_connection>(loop_, settings_, counters_, this, redis_connection::mode::requests);
  c->lease.pool = pool_;
  c->watch(settings_->options.idle_ping, settings_->options.ping_overdue);
  opening_.push_back({c, {}});
  gate_.enter(c, [weak = std::weak_ptr(c), this](connect_gate::turn turn) {
    auto connection = weak.lock();
    auto it = std::find_if(opening_.begin(), opening_.end(), [&](auto &a) { return a.connection == connection; });
    if (it == opening_.end()) return;
    it->turn = std::move(turn);
    counters_->connecting.add(1);
    connection->open();
  });
}

void lease_desk::connection_up(redis_connection &c) {
  auto it = std::find_if(opening_.begin(), opening_.end(), [&](auto &a) { return a.connection.get() == &c; });
  auto connection = std::move(it->connection);
  const auto turn = std::move(it->turn);  // given back when all is in order again
  opening_.erase(it);
  counters_->connecting.subtract(1);
  plan_.connected(clock::now());
  last_error_ = {};
  all_.push_back(connection);
  place(std::move(connection));
}

void lease_desk::place(connection_ptr c) {
  waiter next;
  {
    std::lock_guard lock(mutex_);
    if (!ledger_.opened()) {
      idle_.push_back({std::move(c), clock::now()});
      if (ledger_.is_over()) loop_->post([self = shared_from_this()] { self->fit(); });
      if (!std::exchange(idle_armed_, true)) loop_->post([self = shared_from_this()] { self->arm_idle(); });
      return;
    }
    next = std::move(waiting_.front());
    waiting_.pop_front();
  }
  hand_over(std::move(next), std::move(c));
}

void lease_desk::connection_closed(redis_connection &c, const error &why, redis_connection::request_list sent,
                                   redis_connection::request_list unsent) {
  auto keep = shared_from_this();
  auto it = std::find_if(opening_.begin(), opening_.end(), [&](auto &a) { return a.connection.get() == &c; });
  connect_gate::turn turn;
  if (it != opening_.end()) {
    turn = std::move(it->turn);
    opening_.erase(it);
    counters_->connecting.subtract(1);
    last_error_ = why;
    std::deque<waiter> hopeless;
    {
      std::lock_guard lock(mutex_);
      ledger_.open_failed();
      if (why.flags() & error::fatal) {
        hopeless.swap(waiting_);
        for (std::size_t i = 0; i < hopeless.size(); ++i) ledger_.gave_up_waiting();
      }
    }
    for (auto &w : hopeless) finish(std::move(w.op), result<redis_lease>(why));
    if (!std::exchange(retry_armed_, true)) {
      retry_.expires_after(plan_.next_delay(clock::now(), random_unit()));
      retry_.async_wait([self = shared_from_this()](boost::system::error_code ec) {
        if (ec) return;
        self->retry_armed_ = false;
        self->open_more();
      });
    }
  } else {
    plan_.lost(clock::now());
    {
      std::lock_guard lock(mutex_);
      if (std::erase_if(idle_, [&](auto &i) { return i.connection.get() == &c; }) != 0) ledger_.idle_closed();
    }
    std::erase_if(all_, [&](auto &x) { return x.get() == &c; });
    open_more();
  }
  counters_->given_up.add(sent.size());
  counters_->lost.add(sent.size());
  const error lost(status::lost,
                   fmt::format("{}; the command was sent and may have been applied; take a new lease", why.message()),
                   why.source(), why.native(), error::maybe_applied | error::retriable);
  const error unsent_error(status::lost, fmt::format("{}; the command was not sent; take a new lease", why.message()),
                           why.source(), why.native(), error::retriable);
  for (auto *r : sent)
    r->finish(why.is(status::timeout) || why.is(status::protocol) || why.is(status::cancelled) ? why : lost);
  for (auto *r : unsent) r->finish(unsent_error);
}

bool lease_desk::want_subscription_slot(std::function<void()> go) {
  {
    std::lock_guard lock(mutex_);
    if (!ledger_.has_room_beside_pipeline()) return false;
    while (!ledger_.add_subscription()) {
      if (idle_.empty()) {
        slot_waiter_ = std::move(go);
        return true;
      }
      auto victim = std::move(idle_.front().connection);
      idle_.erase(idle_.begin());
      ledger_.idle_closed();
      std::erase(all_, victim);
      loop_->post([victim] { victim->dismiss(error(status::cancelled, "closed to make room for subscriptions", "redis")); });
    }
  }
  go();
  return true;
}

void lease_desk::subscription_gone() {
  {
    std::lock_guard lock(mutex_);
    ledger_.remove_subscription();
  }
  open_more();
}

bool lease_desk::add_pipeline() {
  std::lock_guard lock(mutex_);
  return !stopped_ && ledger_.add_pipeline();
}

void lease_desk::pipeline_gone() {
  {
    std::lock_guard lock(mutex_);
    ledger_.remove_pipeline();
  }
  open_more();
}

ledger::counts lease_desk::counts() const {
  std::lock_guard lock(mutex_);
  return ledger_.now();
}

std::string lease_desk::text() const {
  std::lock_guard lock(mutex_);
  return ledger_.text();
}

}  // namespace corbel::detail
