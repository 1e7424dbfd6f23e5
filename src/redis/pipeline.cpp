#include "redis/pipeline.hpp"

#include "base/random.hpp"

#include <fmt/format.h>

namespace corbel::detail {

using namespace std::chrono_literals;

redis_pipeline::redis_pipeline(std::shared_ptr<loop> where, std::shared_ptr<const redis_settings> settings,
                               std::shared_ptr<redis_counters> counters, connect_gate &gate, listener &l)
    : loop_(std::move(where)),
      settings_(std::move(settings)),
      counters_(std::move(counters)),
      gate_(gate),
      listener_(&l),
      timer_(loop_->context()),
      lifetime_(loop_->context()),
      idle_(settings_->options.idle_ping),
      overdue_(settings_->options.ping_overdue) {}

void redis_pipeline::stop(const error &why) {
  stopped_ = true;
  timer_.cancel();
  lifetime_.cancel();
  turn_ = {};
  if (auto c = std::exchange(connection_, nullptr)) {
    if (c->is_up()) counters_->pipelines_up.subtract(1);
    c->dismiss(why);
  }
  for (auto *r : std::exchange(waiting_, {})) r->finish(why);
}

error redis_pipeline::unavailable() const {
  return error(status::unavailable,
               fmt::format("not sent: no connection to Redis at {} ({})", settings_->address.shown(),
                           last_error_ ? last_error_.message() : std::string("still connecting")),
               last_error_ ? last_error_.source() : "redis", last_error_.native(), error::retriable);
}

error redis_pipeline::not_reached(const redis_request &r) const {
  return error(
      status::unavailable,
      fmt::format("not sent: Redis at {} did not answer within {} ms what was sent before it", settings_->address.shown(),
                  std::chrono::duration_cast<std::chrono::milliseconds>(r.budget).count()),
      "redis", "ETIMEDOUT", error::retriable);
}

void redis_pipeline::submit(redis_request *r) {
  if (is_up()) return connection_->submit(r);
  if (last_error_.flags() & error::fatal) return r->finish(last_error_);
  if (waiting_.size() >= settings_->options.max_waiting) {
    counters_->refused.fetch_add(1, std::memory_order_relaxed);
    return r->finish(error(
        status::busy,
        fmt::format("{} commands wait for a connection to Redis already, the most that may (max_waiting)", waiting_.size()),
        "redis", "WAITING", error::retriable));
  }
  waiting_.push_back(r);
}

void redis_pipeline::try_connect() {
  gate_.enter(weak_from_this(), [this](connect_gate::turn turn) { connect(std::move(turn)); });
}

void redis_pipeline::connect(connect_gate::turn turn) {
  if (stopped_) return;
  turn_ = std::move(turn);
  counters_->connecting.add(1);
  listener_->pipeline_trying(*this);
  if (stopped_) return;
  connection_ = std::make_shared<redis_connection>(loop_, settings_, counters_, this, redis_connection::mode::requests);
  connection_->watch(idle_, overdue_);
  connection_->open();
}

void redis_pipeline::connection_up(redis_connection &) {
  turn_ = {};
  counters_->connecting.subtract(1);
  counters_->pipelines_up.add(1);
  if (epoch_++ != 0) counters_->reconnects.add(1);
  plan_.connected(clock::now());
  last_error_ = {};
  arm_lifetime();
  for (auto *r : std::exchange(waiting_, {})) submit(r);  // writing may close the connection again
  if (is_up()) listener_->pipeline_up(*this);
}

void redis_pipeline::connection_closed(redis_connection &c, const error &why, request_list sent, request_list unsent) {
  auto keep = shared_from_this();
  turn_ = {};
  const bool was_up = connection_ && c.opened_at() != clock::time_point{};
  if (was_up)
    counters_->pipelines_up.subtract(1);
  else
    counters_->connecting.subtract(1);
  connection_.reset();
  lifetime_.cancel();
  plan_.lost(clock::now());
  last_error_ = why;

  const error lost(status::lost, fmt::format("{}; the command was sent and may have been applied", why.message()),
                   why.source(), why.native(), error::maybe_applied | error::retriable);
  request_list again, failed;
  counters_->given_up.add(sent.size());
  for (auto *r : sent) {
    if (r->idempotent && !r->retried) {
      r->retried = true;
      again.push_back(r);
    } else if (!r->is_ping) {
      failed.push_back(r);
    } else {
      r->finish(lost);
    }
  }
  again.insert(again.end(), unsent.begin(), unsent.end());
  waiting_.insert(waiting_.begin(), again.begin(), again.end());
  std::erase_if(waiting_, [&](redis_request *r) {
    if (r->is_ping) r->finish(lost);
    return r->is_ping;
  });
  if (why.flags() & error::fatal) {
    failed.insert(failed.end(), waiting_.begin(), waiting_.end());
    waiting_.clear();
  }
  if (!stopped_) {
    retry_later();
    listener_->pipeline_down(*this, why);
  }
  for (auto *r : failed) {
    if (why.flags() & error::fatal) {
      r->finish(why);
    } else {
      counters_->lost.add(1);
      r->finish(lost);
    }
  }
}

void redis_pipeline::retry_later() {
  timer_.expires_after(plan_.next_delay(clock::now(), random_unit()));
  timer_.async_wait([self = shared_from_this()](boost::system::error_code ec) {
    if (!ec && !self->stopped_) self->try_connect();
  });
}

void redis_pipeline::arm_lifetime() {
  const auto life = settings_->options.lifetime;
  if (life <= 0ms) return;
  lifetime_.expires_after(
      std::chrono::milliseconds(static_cast<long>(static_cast<double>(life.count()) * (1.0 - 0.1 * random_unit()))));
  lifetime_.async_wait([self = shared_from_this()](boost::system::error_code ec) {
    if (!ec) self->renew_when_quiet();
  });
}

void redis_pipeline::renew_when_quiet() {
  if (stopped_ || !is_up()) return;
  if (connection_->under_way() == 0)
    return connection_->close(error(status::lost, "the connection reached its lifetime", "redis", "LIFETIME"));
  lifetime_.expires_after(20ms);
  lifetime_.async_wait([self = shared_from_this()](boost::system::error_code ec) {
    if (!ec) self->renew_when_quiet();
  });
}

void redis_pipeline::watch(std::chrono::milliseconds idle, std::chrono::milliseconds overdue) {
  idle_ = idle;
  overdue_ = overdue;
  if (connection_) connection_->watch(idle, overdue);
}

void redis_pipeline::expire(clock::time_point now, clock::time_point &next) {
  request_list retry, timed_out, never_sent;
  auto look = [&](redis_request &r, bool was_sent) {
    const bool may_retry = was_sent && r.idempotent && !r.retried;
    const auto when = may_retry && r.deadline != clock::time_point::max() ? r.deadline - r.budget / 2 : r.deadline;
    if (now < when) {
      next = std::min(next, when);
      return true;
    }
    if (may_retry && now < r.deadline)
      retry.push_back(&r);
    else
      (was_sent ? timed_out : never_sent).push_back(&r);
    return false;
  };
  std::erase_if(waiting_, [&](redis_request *r) { return !look(*r, false); });
  if (connection_) connection_->filter(look);

  counters_->given_up.add(timed_out.size() + retry.size());
  counters_->timeouts.add(timed_out.size());
  auto connection = connection_;
  bool silent = false;
  for (auto *r : timed_out) {
    silent = silent || connection->last_read() < r->deadline - r->budget;
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(r->budget).count();
    r->finish(error(status::timeout,
                    fmt::format("Redis did not answer within {} ms; the command was sent and may have been applied", ms),
                    "redis", "ETIMEDOUT", error::maybe_applied | error::retriable));
  }
  for (auto *r : never_sent) r->finish(is_up() ? not_reached(*r) : unavailable());
  for (auto *r : retry) {
    r->retried = true;
    next = std::min(next, r->deadline);
    listener_->pipeline_retry(*this, r);
  }
  if (silent && connection == connection_ && connection_) connection->probe();
}

bool redis_pipeline::cancel(std::uint64_t ticket) {
  redis_request *found = nullptr;
  bool was_sent = false;
  auto look = [&](redis_request &r, bool sent) {
    if (r.ticket != ticket) return true;
    found = &r;
    was_sent = sent;
    return false;
  };
  std::erase_if(waiting_, [&](redis_request *r) { return !look(*r, false); });
  if (!found && connection_) connection_->filter(look);
  if (!found) return false;
  if (was_sent) counters_->given_up.add(1);
  found->finish(error(
      status::cancelled,
      was_sent ? "cancelled after the command was sent: it may have been applied" : "cancelled before the command was sent",
      "redis", "", was_sent ? error::maybe_applied : 0u));
  return true;
}

}  // namespace corbel::detail
