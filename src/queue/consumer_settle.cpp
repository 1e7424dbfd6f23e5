#include "queue/consumer_core.hpp"
#include "queue/limits.hpp"
#include "queue/retry_delay.hpp"

#include <fmt/format.h>

namespace corbel::detail {

using stage = message_state::stage;

error consumer_core::admit_settle(message_state &m, const settle_request &how) const {
  if (auto why = refusal()) return why;
  if (how.how < settle::done || how.how > settle::hand_back)
    return error(
        status::invalid,
        fmt::format("{} is no way to settle a message: give done, retry, bury or hand_back", static_cast<int>(how.how)),
        "queue");
  if (!m.begin_settling())
    return error(status::state, fmt::format("message '{}' was settled before", m.claimed->id), "queue");
  m.asked = true;
  return {};
}

void consumer_core::start_settle(message_ptr m, settle_request how, call c, operation_ptr<bool> op, std::uint64_t ticket) {
  ticket = make_cancellable(op, ticket);
  auto told = std::make_shared<operation_ptr<bool>>(std::move(op));
  on_loop([m = std::move(m), how = std::move(how), timeout = patience(c), ticket, told](consumer_core &self) {
    self.settle_now(m, how, timeout, ticket, [told](const result<bool> &r) { finish(std::move(*told), r); });
  });
}

void consumer_core::drop(message_ptr m) {
  if (forked()) return leave_to_parent(std::move(m));
  m->asked = true;
  if (m->phase == stage::settled || ended_) return;
  on_loop([m = std::move(m)](consumer_core &self) { self.dropped(m); });
}

void consumer_core::dropped(const message_ptr &m) {
  m->dropped = true;
  if (m->begin_settling()) settle_now(m, m->last, patience({}), next_ticket(), [](const result<bool> &) {});
}

void consumer_core::settle_now(const message_ptr &m, const settle_request &how, std::chrono::milliseconds timeout,
                               std::uint64_t ticket, settler::told_function told) {
  m->last = how.how;
  settle_entry entry{.message = m->claimed, .due = {}, .reason = how.reason.substr(0, max_reason_bytes)};
  if (how.how == settle::retry) {
    entry.due = due_of(how, m->claimed->attempt, options_.backoff, std::uniform_real_distribution<>(0, 1)(random_));
    if (entry.due.starts_with('+')) promoter_->expect(std::chrono::milliseconds(std::stoll(entry.due.substr(1))));
  }
  settler_->settle(ticket, how.how, std::move(entry), timeout,
                   [self = shared_from_this(), m, told = std::move(told)](const result<bool> &r) {
                     m->phase = r ? stage::settled : stage::failed;
                     if (r || m->dropped) {
                       self->leases_->release(m->claimed->token);
                       self->out_.erase(m->claimed->token);
                       self->plan_.settled();
                       if (r && *r) self->count_settled(*m);
                       if (r && !*r && !m->taken_away.exchange(true)) self->counters_->lost.add(1);
                       self->tell_watchers(*m, m->taken_away);
                     }
                     told(r);
                     self->step();
                     self->check_ended();
                   });
}

void consumer_core::count_settled(const message_state &m) {
  auto &c = *counters_;
  auto &which = m.last == settle::done    ? c.done
                : m.last == settle::retry ? c.retried
                : m.last == settle::bury  ? c.buried
                                          : c.handed_back;
  which.add(1);
  if (m.last == settle::done && sampler_) sampler_->worked(m.claimed->lane, m.claimed->waited);
  if (m.last != settle::hand_back) c.run.record(std::chrono::steady_clock::now() - m.since);
}

void consumer_core::hand_back(std::uint32_t count) {
  // The newest goes first, so that in the end the oldest is the next to be claimed.
  for (; count > 0; --count) {
    auto m = std::move(buffered_.back());
    buffered_.pop_back();
    settle_undelivered(m, settle::hand_back);
  }
}

/// Told before it is acknowledged, so that it is told again where this process dies in between.
void consumer_core::ignore(const claimed_ptr &m) {
  log(log_level::info, fmt::format("message '{}' is not worked: {}", m->id, m->ignored));
  if (options_.ignored) options_.ignored(m->id, std::string(m->delivered()), m->ignored);
  settle_undelivered(m, settle::done);
}

void consumer_core::settle_undelivered(const claimed_ptr &m, settle how) {
  ++handing_back_;
  settler_->settle(next_ticket(), how, {.message = m, .due = {}, .reason = {}}, patience({}),
                   [self = shared_from_this(), m, how](const result<bool> &r) {
                     if (r && *r && how == settle::hand_back) self->counters_->handed_back.add(1);
                     self->leases_->release(m->token);
                     --self->handing_back_;
                     self->check_ended();
                   });
}

/// Another has taken the lease.
void consumer_core::lost(std::uint64_t token) {
  if (auto it = std::find_if(buffered_.begin(), buffered_.end(), [&](const auto &m) { return m->token == token; });
      it != buffered_.end()) {
    counters_->lost.add(1);
    buffered_.erase(it);
    plan_.buffered_lost();
    return step();
  }
  const auto found = out_.find(token);
  auto m = found == out_.end() ? nullptr : found->second.lock();
  if (!m || m->taken_away.exchange(true)) return;
  counters_->lost.add(1);
  log(log_level::warning,
      fmt::format("message '{}', attempt {}: its lease was lost, another may work it", m->claimed->id, m->claimed->attempt));
  tell_lost(m);
}

void consumer_core::tell_lost(const message_ptr &m) {
  m->taken_away = true;
  if (on_lost_ && !m->asked) on_lost_(m);
  tell_watchers(*m, true);
}

void consumer_core::on_lost(std::function<void(const message_ptr &)> fn) {
  on_loop([fn = std::move(fn)](consumer_core &self) mutable { self.on_lost_ = std::move(fn); });
}

void consumer_core::start_wait_lost(message_ptr m, operation_ptr<bool> op, std::uint64_t ticket) {
  if (auto why = refusal()) return finish(std::move(op), result<bool>(why));
  ticket = make_cancellable(op, ticket);
  on_loop([m = std::move(m), ticket, op = std::move(op)](consumer_core &self) mutable {
    if (m->taken_away || m->phase == stage::settled || self.ended_)
      return finish(std::move(op), result<bool>(m->taken_away.load()));
    m->watchers.push_back({ticket, std::move(op)});
    self.watched_.emplace(ticket, m);
  });
}

void consumer_core::tell_watchers(message_state &m, bool was_lost) {
  for (auto &w : std::exchange(m.watchers, {})) {
    watched_.erase(w.ticket);
    finish(std::move(w.op), result<bool>(was_lost));
  }
}

}  // namespace corbel::detail
