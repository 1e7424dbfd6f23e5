// New connections: for those who wait, and to keep the pool warm.
#include "base/random.hpp"
#include "postgres/desk.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace corbel::detail {

using namespace std::chrono_literals;

void pg_desk::start() {
  {
    std::lock_guard lock(mutex_);
    if (!ledger_.try_open(1)) return;
  }
  open_one();
  open_more();
}

void pg_desk::open_more(std::uint32_t others) {
  if (retry_armed_) return;  // its timer calls again
  for (;;) {
    std::function<void()> take_slot;
    {
      std::lock_guard lock(mutex_);
      if (stopped_) return;
      if (slot_waiter_ && ledger_.add_subscription()) {
        take_slot = std::exchange(slot_waiter_, nullptr);
      } else if (!ledger_.try_open(others) && !ledger_.try_warm()) {
        return;
      }
    }
    if (take_slot)
      take_slot();
    else
      open_one();
    if (retry_armed_) return;
  }
}

void pg_desk::open_one() {
  if (retry_armed_) {  // the plan says when; the count is taken again then
    std::lock_guard lock(mutex_);
    return ledger_.open_failed();
  }
  auto c = std::make_shared<pg_connection>(
      loop_, settings_, counters_, blocking_,
      [this](log_level level, std::string text, const char *code) { listener_.desk_says(level, std::move(text), code); },
      this);
  c->desk.pool = pool_;
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

void pg_desk::connection_up(pg_connection &c) {
  auto it = std::find_if(opening_.begin(), opening_.end(), [&](auto &a) { return a.connection.get() == &c; });
  auto connection = std::move(it->connection);
  const auto turn = std::move(it->turn);  // given back when all is in order again
  opening_.erase(it);
  counters_->connecting.subtract(1);
  counters_->connects.add(1);
  if (std::exchange(has_lost_, false)) counters_->reconnects.add(1);
  plan_.connected(clock::now());
  last_error_ = {};
  if (const auto life = settings_->options.lifetime; life > 0ms)
    c.desk.old_at = c.opened_at() + std::chrono::milliseconds(
                                        static_cast<long>(static_cast<double>(life.count()) * (1.0 - 0.1 * random_unit())));
  all_.push_back(connection);
  listener_.desk_connected(c);
  place(std::move(connection), ledger::from::opening);
}

void pg_desk::open_failed(pg_connection &c, const error &why) {
  auto it = std::find_if(opening_.begin(), opening_.end(), [&](auto &a) { return a.connection.get() == &c; });
  if (it == opening_.end()) return;
  const auto turn = std::move(it->turn);
  opening_.erase(it);
  counters_->connecting.subtract(1);
  counters_->connect_failures.add(1);
  last_error_ = why;
  std::uint32_t open = 0;
  {
    std::lock_guard lock(mutex_);
    ledger_.open_failed();
    const auto n = ledger_.now();
    open = n.idle + n.leased + n.pipelines;
  }
  if (!std::exchange(retry_armed_, true)) {
    retry_.expires_after(plan_.next_delay(clock::now(), random_unit()));
    retry_.async_wait([self = shared_from_this()](boost::system::error_code ec) {
      if (ec) return;
      batch_scope batch;
      self->retry_armed_ = false;
      self->open_more(self->wished());
    });
  }
  listener_.desk_failed(why, open);
  if (is_hopeless()) fail_waiting(why);
}

bool pg_desk::is_hopeless() const noexcept {
  return retry_armed_ && all_.empty() && (last_error_.flags() & error::fatal) != 0;
}

void pg_desk::fail_waiting(const error &why) {
  std::deque<waiter> callers;
  {
    std::lock_guard lock(mutex_);
    callers.swap(waiting_);
    for (std::size_t i = 0; i < callers.size(); ++i) ledger_.gave_up_waiting();
  }
  auto statements = std::exchange(queue_, {});
  count_queue();
  for (auto &w : callers) finish(std::move(w.op), result<pg_lease>(why));
  for (auto *r : statements) r->finish(why);
}

std::uint32_t pg_desk::wished() const noexcept {
  // While nothing is connected one goes on trying, so that it is known when the server is back.
  return std::max(static_cast<std::uint32_t>(queue_.size()), all_.empty() && has_lost_or_failed() ? 1u : 0u);
}

bool pg_desk::want_listening_slot(std::function<void()> go) {
  connection_ptr victim;
  {
    std::lock_guard lock(mutex_);
    if (stopped_) return false;
    if (ledger_.add_subscription()) return true;
    slot_waiter_ = std::move(go);
    if (!idle_.empty()) {
      victim = std::move(idle_.front().connection);
      idle_.erase(idle_.begin());
      ledger_.share_idle();  // on its way out it is counted as shared
    }
  }
  if (victim)
    loop_->post([self = shared_from_this(), victim] {
      batch_scope batch;
      self->retire(victim, ledger::from::pipeline, "closed to make room for listening");
    });
  return false;
}

void pg_desk::listening_gone() {
  {
    std::lock_guard lock(mutex_);
    ledger_.remove_subscription();
  }
  open_more(wished());
}

void pg_desk::apply(const pg_limits &l) {
  std::vector<connection_ptr> surplus;
  {
    std::lock_guard lock(mutex_);
    auto bounds = ledger_.bounds();
    bounds.min_size = l.min_size;
    bounds.max_size = l.max_size;
    bounds.max_waiting = l.max_waiting;
    ledger_.set_limits(bounds);
    while (ledger_.is_over() && !idle_.empty()) {
      surplus.push_back(std::move(idle_.front().connection));
      idle_.erase(idle_.begin());
      ledger_.idle_closed();
    }
  }
  loop_->post([self = shared_from_this(), surplus] {
    batch_scope batch;
    for (auto &c : surplus) {
      std::erase(self->all_, c);
      c->dismiss(error(status::cancelled, "closed: the pool was made smaller", "postgres"));
    }
    std::uint32_t over = 0;
    {
      std::lock_guard lock(self->mutex_);
      const auto &b = self->ledger_.bounds();
      if (self->ledger_.is_over()) over = self->ledger_.now().total() - b.max_size;
    }
    // Shared ones take no more statements, and go when they have drained; leased ones when they come back.
    for (auto closing = self->share_.closing(); closing < over; ++closing) {
      const auto slot = self->share_.pick();
      if (slot == share_plan::none) break;
      self->share_.close(slot);
    }
    self->open_more(static_cast<std::uint32_t>(self->queue_.size()));
  });
}

}  // namespace corbel::detail
