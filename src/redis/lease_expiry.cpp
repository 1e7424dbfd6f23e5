// What ends leases' waiting and idle connections: deadlines, cancelling, idle time, the pool's end.
#include "redis/lease_desk.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace corbel::detail {

using namespace std::chrono_literals;

error lease_desk::exhausted(clock::time_point since, clock::time_point now) const {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now - since).count();
  const std::string last = last_error_ ? last_error_.message() : std::string("none");
  const auto c = ledger_.now();
  if (last_error_ && c.leased == 0 && c.idle == 0)
    return error(status::unavailable,
                 fmt::format("no lease within {} ms: Redis cannot be reached; last connect error: {}", ms, last),
                 last_error_.source(), last_error_.native(), error::retriable);
  return error(status::busy,
               fmt::format("no lease within {} ms: {}; last connect error: {}; hold leases for less time, or raise max_size",
                           ms, ledger_.text(), last),
               "redis", "POOL", error::retriable);
}

void lease_desk::expire(clock::time_point now, clock::time_point &next) {
  std::vector<std::pair<waiter, error>> given_up;
  {
    std::lock_guard lock(mutex_);
    for (auto it = waiting_.begin(); it != waiting_.end();) {
      if (it->deadline > now) {
        next = std::min(next, it->deadline);
        ++it;
        continue;
      }
      given_up.emplace_back(std::move(*it), exhausted(it->since, now));
      it = waiting_.erase(it);
      ledger_.gave_up_waiting();
    }
  }
  for (auto &[w, why] : given_up) {
    counters_->refused.fetch_add(1, std::memory_order_relaxed);
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now - w.since).count();
    counters_->waited_ms.fetch_add(static_cast<std::uint64_t>(ms), std::memory_order_relaxed);
    finish(std::move(w.op), result<redis_lease>(why));
  }
  // A command on a lease that is past its time leaves the connection in an unknown state.
  auto connections = all_;
  for (auto &c : connections) {
    redis_request *late = nullptr;
    c->filter([&](redis_request &r, bool) {
      if (r.deadline <= now)
        late = &r;
      else
        next = std::min(next, r.deadline);
      return true;
    });
    if (!late) continue;
    counters_->timeouts.add(1);
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(late->budget).count();
    c->close(
        error(status::timeout,
              fmt::format(
                  "Redis did not answer within {} ms on the lease, which is closed; the command may have been applied", ms),
              "redis", "ETIMEDOUT", error::maybe_applied | error::retriable));
  }
}

bool lease_desk::cancel(std::uint64_t ticket) {
  waiter found;
  {
    std::lock_guard lock(mutex_);
    auto it = std::find_if(waiting_.begin(), waiting_.end(), [&](const waiter &w) { return w.ticket == ticket; });
    if (it != waiting_.end()) {
      found = std::move(*it);
      waiting_.erase(it);
      ledger_.gave_up_waiting();
    }
  }
  if (found.op) {
    finish(std::move(found.op),
           result<redis_lease>(error(status::cancelled, "cancelled while waiting for a lease", "redis")));
    return true;
  }
  for (auto &c : std::vector(all_)) {
    bool here = false;
    c->filter([&](redis_request &r, bool) {
      here = here || r.ticket == ticket;
      return true;
    });
    if (!here) continue;
    c->close(error(status::cancelled, "cancelled; the lease's connection is closed because its state is unknown", "redis",
                   "", error::maybe_applied));
    return true;
  }
  return false;
}

void lease_desk::arm_idle() {
  const auto limit = settings_->options.idle_limit;
  clock::time_point oldest;
  {
    std::lock_guard lock(mutex_);
    if (stopped_ || idle_.empty() || limit <= 0ms) {
      idle_armed_ = false;
      return;
    }
    oldest = idle_.front().since;
  }
  idle_timer_.expires_at(std::max(oldest + limit, clock::now() + 1s));
  idle_timer_.async_wait([self = shared_from_this()](boost::system::error_code ec) {
    if (!ec) self->close_idle();
  });
}

void lease_desk::close_idle() {
  const auto limit = settings_->options.idle_limit;
  std::vector<connection_ptr> old;
  {
    std::lock_guard lock(mutex_);
    const auto now = clock::now();
    std::erase_if(idle_, [&](auto &i) {
      if (i.since + limit > now) return false;
      old.push_back(std::move(i.connection));
      ledger_.idle_closed();
      return true;
    });
  }
  for (auto &c : old) {
    std::erase(all_, c);
    c->dismiss(error(status::cancelled, "closed: unused", "redis"));
  }
  arm_idle();
}

std::uint32_t lease_desk::set_max_size(std::uint32_t n) {
  std::lock_guard lock(mutex_);
  auto limits = ledger_.bounds();
  const auto before = std::exchange(limits.max_size, n);
  ledger_.set_limits(limits);
  return before;
}

bool lease_desk::is_over() const {
  std::lock_guard lock(mutex_);
  return ledger_.is_over();
}

std::uint32_t lease_desk::max_size() const {
  std::lock_guard lock(mutex_);
  return ledger_.bounds().max_size;
}

void lease_desk::fit() {
  std::vector<connection_ptr> over;
  {
    std::lock_guard lock(mutex_);
    while (!stopped_ && ledger_.is_over() && !idle_.empty()) {
      over.push_back(std::move(idle_.front().connection));  // the one unused for longest
      idle_.erase(idle_.begin());
      ledger_.idle_closed();
    }
  }
  for (auto &c : over) {
    std::erase(all_, c);
    c->dismiss(error(status::cancelled, "closed: over the pool's new cap", "redis"));
  }
  open_more();
}

std::size_t lease_desk::under_way() const {
  std::size_t n = 0;
  for (auto &c : all_) n += c->under_way();
  std::lock_guard lock(mutex_);
  return n + waiting_.size();
}

void lease_desk::stop(const error &why) {
  std::deque<waiter> waiting;
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    waiting.swap(waiting_);
    idle_.clear();
    slot_waiter_ = nullptr;
  }
  retry_.cancel();
  idle_timer_.cancel();
  for (auto &w : waiting) finish(std::move(w.op), result<redis_lease>(why));
  for (auto &a : std::exchange(opening_, {})) a.connection->dismiss(why);
  for (auto &c : std::exchange(all_, {})) c->dismiss(why);
}

}  // namespace corbel::detail
