#include "postgres/listen_hub.hpp"

#include "base/random.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace corbel::detail {

using namespace std::chrono_literals;

/// LISTEN or UNLISTEN on its way, or a check whether the connection lives.
class pg_listen_hub::request final : public pg_request {
 public:
  request(const std::string &sql, end_function end) : pg_request(pg_statement(sql).unprepared()), end_(std::move(end)) {
    on_lease = true;
  }
  void finish(result<pg_result> r) noexcept override {
    const auto end = std::move(end_);
    delete this;
    end(r.error());
  }

 private:
  end_function end_;
};

pg_request *pg_listen_hub::make_request(const std::string &sql, end_function end) {
  return new request(sql, std::move(end));
}

pg_listen_hub::pg_listen_hub(std::shared_ptr<loop> where, std::shared_ptr<const pg_settings> settings,
                             std::shared_ptr<pg_counters> counters, offload &blocking, connect_gate &gate, pg_desk &desk,
                             deadline_function watch_deadline)
    : loop_(std::move(where)),
      settings_(std::move(settings)),
      counters_(std::move(counters)),
      blocking_(blocking),
      gate_(gate),
      desk_(desk),
      watch_deadline_(std::move(watch_deadline)),
      retry_(loop_->context()),
      idle_(loop_->context()) {}

void pg_listen_hub::apply(const std::shared_ptr<pg_mailbox> &who, change c) {
  if (stopped_) return finish(std::move(c.op), result<void>(error(status::closed, "the pool was closed", "postgres")));
  readers_[who->id] = who;
  const auto channel = c.channel;
  if (!c.listen) {
    if (!wanted_.leave(who->id, channel) || !is_up_) {
      finish(std::move(c.op), result<void>());
      return rest_when_unwanted();
    }
    waiting_.push_back({std::move(c), who->id});
    return send(false, channel);
  }
  const auto answer = wanted_.want(who->id, channel);
  if (answer == wanted_channels::answer::there) return finish(std::move(c.op), result<void>());
  watch_deadline_(c.deadline);
  waiting_.push_back({std::move(c), who->id});
  if (is_up_ && answer == wanted_channels::answer::ask) return send(true, channel);
  connect();
}

void pg_listen_hub::send(bool listen, const std::string &channel) {
  std::string sql = listen ? "LISTEN \"" : "UNLISTEN \"";
  for (char c : channel) {
    if (c == '"') sql += c;
    sql += c;
  }
  const auto question = listen ? wanted_.asked(channel) : 0;
  connection_->submit(make_request(sql + "\"", [self = weak_from_this(), listen, channel, question](const error &why) {
    if (auto hub = self.lock()) hub->answered(listen, channel, question, why);
  }));
}

void pg_listen_hub::answered(bool listen, const std::string &channel, std::uint64_t question, const error &why) {
  if (stopped_ || why.is(status::lost) || why.is(status::cancelled)) return;  // the next connection asks again
  if (!listen) {
    end_waiters(channel, false, why);
    return rest_when_unwanted();
  }
  if (why) {  // refused: nobody has it
    for (auto who : std::set(wanted_.readers_of(channel))) wanted_.leave(who, channel);
    end_waiters(channel, true, why);
    return rest_when_unwanted();
  }
  if (!wanted_.confirmed(channel, question)) return;
  end_waiters(channel, true, {});
  if (!is_restored_ && wanted_.is_complete()) {
    is_restored_ = true;
    tell_all(pg_notice::kind::listening);
  }
}

void pg_listen_hub::end_waiters(const std::string &channel, bool listen, const error &why) {
  std::vector<operation_ptr<void>> ended;
  std::erase_if(waiting_, [&](waiter &w) {
    if (w.listen != listen || w.channel != channel) return false;
    ended.push_back(std::move(w.op));
    return true;
  });
  for (auto &op : ended) finish(std::move(op), why ? result<void>(why) : result<void>());
}

void pg_listen_hub::forget(std::uint64_t who) {
  readers_.erase(who);
  for (auto &channel : wanted_.leave_all(who))
    if (is_up_) send(false, channel);
  std::vector<operation_ptr<void>> ended;
  std::erase_if(waiting_, [&](waiter &w) {
    if (w.who != who) return false;
    ended.push_back(std::move(w.op));
    return true;
  });
  for (auto &op : ended) finish(std::move(op), result<void>(error(status::cancelled, "the listener was freed", "postgres")));
  rest_when_unwanted();
}

void pg_listen_hub::connection_notify(pg_connection &, const char *channel, const char *payload, int backend) {
  for (auto who : wanted_.readers_of(channel)) {
    auto it = readers_.find(who);
    if (auto reader = it == readers_.end() ? nullptr : it->second.lock())
      reader->put({pg_notice::kind::message, backend, epoch_, 0, channel, payload});
  }
}

void pg_listen_hub::tell_all(pg_notice::kind what) {
  for (auto &[id, weak] : readers_)
    if (auto reader = weak.lock()) reader->put({what, 0, epoch_, 0, {}, {}});
}

void pg_listen_hub::expire(clock::time_point now, clock::time_point &next) {
  std::vector<waiter> ended;
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    if (it->deadline > now) {
      next = std::min(next, it->deadline);
      ++it;
      continue;
    }
    ended.push_back(std::move(*it));
    it = waiting_.erase(it);
  }
  for (auto &w : ended) {
    if (w.listen && wanted_.leave(w.who, w.channel) && is_up_) send(false, w.channel);
    finish(std::move(w.op),
           result<void>(error(
               is_up_ ? status::timeout : status::unavailable,
               fmt::format("not confirmed in time: {}", is_up_       ? "PostgreSQL does not answer"
                                                        : !has_slot_ ? "no connection is free for listening: " + desk_.text()
                                                        : last_error_ ? last_error_.message()
                                                                      : std::string("still connecting")),
               "postgres", "ETIMEDOUT", error::retriable)));
  }
  if (!ended.empty()) rest_when_unwanted();
}

bool pg_listen_hub::cancel(std::uint64_t ticket) {
  auto it =
      std::find_if(waiting_.begin(), waiting_.end(), [&](const waiter &w) { return w.ticket == ticket && ticket != 0; });
  if (it == waiting_.end()) return false;
  auto w = std::move(*it);
  waiting_.erase(it);
  if (w.listen && wanted_.leave(w.who, w.channel) && is_up_) send(false, w.channel);
  finish(std::move(w.op), result<void>(error(status::cancelled, "cancelled before it was confirmed", "postgres")));
  rest_when_unwanted();
  return true;
}

}  // namespace corbel::detail
