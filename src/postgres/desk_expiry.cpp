// What ends waiting and statements: deadlines, cancelling, the pool's end.
#include "postgres/desk.hpp"
#include "postgres/exchange.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace corbel::detail {

using namespace std::chrono_literals;

namespace {
long in_ms(pg_desk::clock::duration d) {
  return static_cast<long>(std::chrono::duration_cast<std::chrono::milliseconds>(d).count());
}
}  // namespace

error pg_desk::exhausted(clock::duration waited) const {
  const std::string last = last_error_ ? last_error_.message() : std::string("none");
  const auto c = ledger_.now();
  if (last_error_ && c.leased == 0 && c.idle == 0 && c.pipelines == 0)
    return error(
        status::unavailable,
        fmt::format("no lease within {} ms: PostgreSQL cannot be reached; last connect error: {}", in_ms(waited), last),
        last_error_.source(), last_error_.native(), error::retriable);
  return error(status::busy,
               fmt::format("no lease within {} ms: {}; last connect error: {}; hold leases for less time, or raise max_size",
                           in_ms(waited), ledger_.text(), last),
               "postgres", "POOL", error::retriable);
}

error pg_desk::unsent_error(const pg_request &r, clock::time_point now) const {
  const auto waited = in_ms(now - r.since);
  const auto counts = text();
  if (all_.empty())
    return error(status::unavailable,
                 fmt::format("not sent within {} ms: no connection to {} ({})", waited, settings_->shown,
                             last_error_ ? last_error_.message() : std::string("still connecting")),
                 last_error_ ? last_error_.source() : "postgres", last_error_.native(), error::retriable);
  return error(
      status::busy,
      fmt::format("not sent within {} ms: {}, {} statements queued; last connect error: {}; raise max_size, or find "
                  "what holds the connections",
                  waited, counts, queue_.size(), last_error_ ? last_error_.message() : std::string("none")),
      "postgres", "POOL", error::retriable);
}

void pg_desk::let_go(pg_connection &c, pg_connection::let_go gone) {
  const auto slot = c.desk.slot;
  if (slot == share_plan::none) {
    if (gone.sent != 0 && c.head_is_abandoned()) c.cancel_on_server();
    return;
  }
  for (std::uint32_t i = 0; i < gone.sent; ++i) share_.abandon(slot);
  if (gone.unsent != 0) connection_answered(c, gone.unsent, 0);
  if (c.desk.slot == slot && share_.may_cancel(slot)) c.cancel_on_server();
}

void pg_desk::expire(clock::time_point now, clock::time_point &next) {
  std::vector<std::pair<waiter, error>> given_up;
  {
    std::lock_guard lock(mutex_);
    for (auto it = waiting_.begin(); it != waiting_.end();) {
      if (it->deadline > now) {
        next = std::min(next, it->deadline);
        ++it;
        continue;
      }
      const auto why = exhausted(now - it->since);
      given_up.emplace_back(std::move(*it), why);
      it = waiting_.erase(it);
      ledger_.gave_up_waiting();
    }
  }
  std::vector<std::pair<pg_request *, error>> ended;
  std::erase_if(queue_, [&](pg_request *r) {
    if (r->deadline > now) {
      next = std::min(next, r->deadline);
      return false;
    }
    ended.emplace_back(r, unsent_error(*r, now));
    return true;
  });
  counters_->refused.fetch_add(given_up.size() + ended.size(), std::memory_order_relaxed);
  count_queue();
  for (auto &c : std::vector(all_)) {
    const auto gone = c->filter([&](pg_request &r, bool was_sent) {
      if (r.deadline > now) {
        next = std::min(next, r.deadline);
        return true;
      }
      const auto ms = in_ms(now - r.since);
      const bool is_harmless = r.statement.has(pg_statement::is_read_only);
      ended.emplace_back(
          &r, was_sent
                  ? error(status::timeout,
                          fmt::format("PostgreSQL did not answer within {} ms; the statement was sent and {}", ms,
                                      is_harmless ? "only reads" : "may have been applied"),
                          "postgres", "ETIMEDOUT", is_harmless ? error::retriable : error::maybe_applied | error::retriable)
                  : error(status::unavailable, fmt::format("not sent within {} ms: the connection is busy", ms), "postgres",
                          "ETIMEDOUT", error::retriable));
      counters_->timeouts.add(was_sent);
      return false;
    });
    let_go(*c, gone);
    if (c->desk.slot != share_plan::none && is_old(*c)) share_.close(c->desk.slot);
  }
  if (settings_->options.share > 0ms) {
    auto look = clock::time_point::max();
    share_.close_slow(now, settings_->options.share, look);
    next = std::min(next, look);
  }
  for (auto &[w, why] : given_up) {
    counters_->waited_ms.fetch_add(static_cast<std::uint64_t>(in_ms(now - w.since)), std::memory_order_relaxed);
    finish(std::move(w.op), result<pg_lease>(why));
  }
  for (auto &[r, why] : ended) r->finish(std::move(why));
  if (!queue_.empty()) dispatch();
}

bool pg_desk::cancel(std::uint64_t ticket) {
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
           result<pg_lease>(error(status::cancelled, "cancelled while waiting for a lease", "postgres")));
    return true;
  }
  const error unsent(status::cancelled, "cancelled before the statement was sent", "postgres");
  auto it = std::find_if(queue_.begin(), queue_.end(), [&](pg_request *r) { return r->ticket == ticket; });
  if (it != queue_.end()) {
    auto *r = *it;
    queue_.erase(it);
    count_queue();
    r->finish(unsent);
    return true;
  }
  for (auto &c : std::vector(all_)) {
    pg_request *here = nullptr;
    bool was_sent = false;
    const auto gone = c->filter([&](pg_request &r, bool sent) {
      if (r.ticket != ticket) return true;
      here = &r;
      was_sent = sent;
      return false;
    });
    if (!here) continue;
    let_go(*c, gone);
    const bool is_harmless = here->statement.has(pg_statement::is_read_only);
    here->finish(was_sent ? error(status::cancelled, "cancelled after the statement was sent: it may have been applied",
                                  "postgres", "", is_harmless ? 0u : error::maybe_applied)
                          : unsent);
    return true;
  }
  return false;
}

std::size_t pg_desk::under_way() const {
  std::size_t n = queue_.size();
  for (auto &c : all_) n += c->under_way();
  std::lock_guard lock(mutex_);
  return n + waiting_.size();
}

void pg_desk::stop(const error &why) {
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
  for (auto &w : waiting) finish(std::move(w.op), result<pg_lease>(why));
  for (auto *r : std::exchange(queue_, {})) r->finish(why);
  count_queue();
  for (auto &a : std::exchange(opening_, {})) a.connection->dismiss(why);
  for (auto &c : std::exchange(all_, {})) {
    if (c->outstanding() != 0) c->cancel_on_server();
    c->dismiss(why);
  }
  sharing_.clear();
}

}  // namespace corbel::detail
