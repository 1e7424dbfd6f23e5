#include "redis/subscriber.hpp"

#include "base/random.hpp"
#include "redis/server_error.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace corbel::detail {

using namespace std::chrono_literals;

redis_subscriber::redis_subscriber(std::shared_ptr<loop> where, std::shared_ptr<const redis_settings> settings,
                                   std::shared_ptr<redis_counters> counters, connect_gate &gate, lease_desk &desk,
                                   std::function<void()> all_confirmed)
    : loop_(std::move(where)),
      settings_(std::move(settings)),
      counters_(std::move(counters)),
      gate_(gate),
      desk_(desk),
      all_confirmed_(std::move(all_confirmed)),
      timer_(loop_->context()),
      idle_(settings_->options.idle_ping),
      overdue_(settings_->options.ping_overdue) {}

void redis_subscriber::apply(const std::shared_ptr<redis_mailbox> &reader, change c) {
  using op = redis_subscription::change;
  const auto kind = c.what == op::subscribe || c.what == op::unsubscribe ? name_kind::channel : name_kind::pattern;
  const bool joins = c.what == op::subscribe || c.what == op::psubscribe;
  if (stopped_) return finish(std::move(c.op), result<bool>(error(status::closed, "the pool was closed", "redis")));
  const auto call = ++last_call_;
  calls_.emplace(call, waiting_call{std::move(c.op), c.deadline, c.ticket});
  if (!joins) return perform(wanted_.leave(reader->id, kind, c.name, call));
  mailboxes_.insert_or_assign(reader->id, reader);
  auto actions = wanted_.want(reader->id, kind, c.name, call);
  ensure_connection();
  if (refused_) {
    refused_ = false;
    (void)wanted_.give_up(call);
    return complete(
        call,
        error(
            status::busy,
            "the pool's cap of 1 connection (max_size) is kept for the command pipeline: no subscription is possible; raise "
            "max_size to 2 or more",
            "redis", "POOL"));
  }
  if (last_error_.flags() & error::fatal) {
    (void)wanted_.give_up(call);
    return complete(call, last_error_);
  }
  perform(std::move(actions));
}

void redis_subscriber::forget(std::uint64_t reader) {
  mailboxes_.erase(reader);
  perform(wanted_.forget(reader));
}

void redis_subscriber::complete(wanted_names::call_id call, result<bool> r) {
  auto it = calls_.find(call);
  if (it == calls_.end()) return;
  auto op = std::move(it->second.op);
  calls_.erase(it);
  finish(std::move(op), std::move(r));
}

void redis_subscriber::perform(wanted_names::actions a) {
  if (is_up()) {
    for (auto kind : {name_kind::channel, name_kind::pattern})
      send_names(kind, false, a.unsubscribe[static_cast<std::size_t>(kind)]);
    for (auto kind : {name_kind::channel, name_kind::pattern})
      send_names(kind, true, a.subscribe[static_cast<std::size_t>(kind)]);
  }
  if (a.all_confirmed) {
    if (epoch_ > 1) tell_all(redis_notice::kind::resubscribed);
    if (all_confirmed_) all_confirmed_();
  }
  for (auto call : a.unneeded) complete(call, false);
  for (auto call : a.confirmed) complete(call, true);
  if (wanted_.size() == 0) close_when_unused();
}

void redis_subscriber::send_names(name_kind kind, bool subscribe, const std::vector<std::string> &names,
                                  std::size_t at_once) {
  const bool pattern = kind == name_kind::pattern;
  for (std::size_t i = 0; i < names.size(); i += at_once) {
    const auto first = names.begin() + static_cast<std::ptrdiff_t>(i);
    sent_command command{kind, subscribe, {first, first + static_cast<std::ptrdiff_t>(std::min(at_once, names.size() - i))}};
    redis_command c(subscribe ? (pattern ? "PSUBSCRIBE" : "SUBSCRIBE") : (pattern ? "PUNSUBSCRIBE" : "UNSUBSCRIBE"));
    connection_->push_command(c.push_all(command.names));
    sent_.push_back(std::move(command));
  }
}

void redis_subscriber::answered(name_kind kind, std::string_view name, bool subscribed) {
  if (!sent_.empty() && ++sent_.front().answered == sent_.front().names.size()) sent_.pop_front();
  perform(wanted_.confirmed(kind, name, subscribed));
}

void redis_subscriber::refused(const error &why) {
  if (sent_.empty()) return connection_->close(why);
  const auto command = std::move(sent_.front());
  sent_.pop_front();
  if (!command.subscribe) return connection_->close(why);
  if (command.names.size() > 1) return send_names(command.kind, true, command.names, 1);  // one of them: asked one by one
  auto actions = wanted_.refused(command.kind, command.names.front());
  for (auto call : std::exchange(actions.refused, {})) complete(call, why);
  perform(std::move(actions));
}

void redis_subscriber::connection_push(redis_connection &c, redis_reply r) {
  const auto &root = r.root();
  if (root.type() == redis_node::kind::error) {
    const auto why = server_error(root.text());
    return why.native() == "NOAUTH" ? c.close(why) : refused(why);
  }
  const auto what = root[0].text();
  if (what == "message" && root.size() == 3) return deliver(name_kind::channel, root[1].text(), r);
  if (what == "pmessage" && root.size() == 4) return deliver(name_kind::pattern, root[1].text(), r);
  if (what == "subscribe") return answered(name_kind::channel, root[1].text(), true);
  if (what == "unsubscribe") return answered(name_kind::channel, root[1].text(), false);
  if (what == "psubscribe") return answered(name_kind::pattern, root[1].text(), true);
  if (what == "punsubscribe") return answered(name_kind::pattern, root[1].text(), false);
}

void redis_subscriber::deliver(name_kind kind, std::string_view name, const redis_reply &r) {
  auto *readers = wanted_.readers(kind, name);
  if (!readers) return;
  for (auto &[reader, count] : *readers) {
    auto it = mailboxes_.find(reader);
    if (it == mailboxes_.end()) continue;
    if (auto box = it->second.lock()) box->put({redis_notice::kind::message, epoch_, 0, r});
  }
}

void redis_subscriber::tell_all(redis_notice::kind what) {
  for (auto &[reader, weak] : mailboxes_)
    if (auto box = weak.lock()) box->put({what, epoch_, 0, {}});
}

void redis_subscriber::ensure_connection() {
  if (connection_ || slot_ != slot::none) return;
  slot_ = slot::waiting;
  const bool possible = desk_.want_subscription_slot([weak = weak_from_this()] {
    auto self = weak.lock();
    if (!self || self->stopped_) return;
    self->slot_ = slot::held;
    self->gate_.enter(weak, [s = self.get()](connect_gate::turn turn) { s->connect(std::move(turn)); });
  });
  if (!possible) {
    slot_ = slot::none;
    refused_ = true;
  }
}

void redis_subscriber::connect(connect_gate::turn turn) {
  if (stopped_) return;
  turn_ = std::move(turn);
  counters_->connecting.add(1);
  connection_ = std::make_shared<redis_connection>(loop_, settings_, counters_, this, redis_connection::mode::pushes);
  connection_->watch(idle_, overdue_);
  connection_->open();
}

void redis_subscriber::connection_up(redis_connection &) {
  turn_ = {};
  counters_->connecting.subtract(1);
  counters_->subscriptions_up.add(1);
  if (epoch_++ != 0) counters_->reconnects.add(1);
  plan_.connected(clock::now());
  last_error_ = {};
  perform(wanted_.connected());
}

void redis_subscriber::connection_closed(redis_connection &c, const error &why, redis_connection::request_list,
                                         redis_connection::request_list) {
  auto keep = shared_from_this();
  turn_ = {};
  const bool was_up = c.opened_at() != clock::time_point{};
  (was_up ? counters_->subscriptions_up : counters_->connecting).subtract(1);
  connection_.reset();
  sent_.clear();
  plan_.lost(clock::now());
  last_error_ = why;
  if (stopped_) return;
  if (wanted_.size() == 0) {
    slot_ = slot::none;
    desk_.subscription_gone();
  } else {
    timer_.expires_after(plan_.next_delay(clock::now(), random_unit()));
    timer_.async_wait([self = shared_from_this()](boost::system::error_code ec) {
      if (!ec && !self->stopped_)
        self->gate_.enter(self, [s = self.get()](connect_gate::turn turn) { s->connect(std::move(turn)); });
    });
  }
  auto actions = wanted_.lost();
  if (was_up) tell_all(redis_notice::kind::gap);
  perform(std::move(actions));
  if (why.flags() & error::fatal) {
    std::vector<wanted_names::call_id> all;
    for (auto &[call, waiting] : calls_) all.push_back(call);
    for (auto call : all) {
      (void)wanted_.give_up(call);
      complete(call, why);
    }
  }
}

void redis_subscriber::close_when_unused() {
  if (slot_ == slot::none || stopped_ || !is_up()) return;
  (void)wanted_.lost();
  sent_.clear();
  counters_->subscriptions_up.subtract(1);
  std::exchange(connection_, nullptr)->dismiss(error(status::cancelled, "no subscription is left", "redis"));
  slot_ = slot::none;
  desk_.subscription_gone();
}

void redis_subscriber::expire(clock::time_point now, clock::time_point &next) {
  std::vector<wanted_names::call_id> late;
  for (auto &[call, waiting] : calls_) {
    if (waiting.deadline <= now)
      late.push_back(call);
    else
      next = std::min(next, waiting.deadline);
  }
  for (auto call : late) {
    auto actions = wanted_.give_up(call);
    complete(call, is_up() ? error(status::timeout, "Redis did not confirm the subscription in time", "redis", "ETIMEDOUT",
                                   error::retriable)
                           : error(status::unavailable,
                                   fmt::format("the subscription was not confirmed: no connection ({}); {}",
                                               last_error_ ? last_error_.message() : std::string("still connecting"),
                                               desk_.text()),
                                   last_error_ ? last_error_.source() : "redis", last_error_.native(), error::retriable));
    perform(std::move(actions));
  }
}

bool redis_subscriber::cancel(std::uint64_t ticket) {
  for (auto &[call, waiting] : calls_) {
    if (waiting.ticket != ticket) continue;
    const auto id = call;
    auto actions = wanted_.give_up(id);
    complete(id, error(status::cancelled, "cancelled before the server confirmed", "redis"));
    perform(std::move(actions));
    return true;
  }
  return false;
}

void redis_subscriber::watch(std::chrono::milliseconds idle, std::chrono::milliseconds overdue) {
  idle_ = idle;
  overdue_ = overdue;
  if (connection_) connection_->watch(idle, overdue);
}

void redis_subscriber::stop(const error &why) {
  stopped_ = true;
  timer_.cancel();
  turn_ = {};
  if (auto c = std::exchange(connection_, nullptr)) c->dismiss(why);
  for (auto &[call, waiting] : std::exchange(calls_, {})) finish(std::move(waiting.op), result<bool>(why));
  for (auto &[reader, weak] : std::exchange(mailboxes_, {}))
    if (auto box = weak.lock()) box->close(error(status::closed, "the pool was closed", "redis"));
}

}  // namespace corbel::detail
