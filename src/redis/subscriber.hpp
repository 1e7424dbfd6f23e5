#pragma once
/// Owns: the one connection of a pool that carries subscriptions: what is wanted is asked for, again after every reconnect,
/// and what is published goes to the mailboxes. Callers: the pool. Thread: the pool's loop.

#include "pool/connect_gate.hpp"
#include "pool/reconnect_plan.hpp"
#include "redis/connection.hpp"
#include "redis/lease_desk.hpp"
#include "redis/mailbox.hpp"
#include "redis/wanted.hpp"

#include <boost/asio/steady_timer.hpp>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <unordered_map>

namespace corbel::detail {

class redis_subscriber final : public redis_connection::owner, public std::enable_shared_from_this<redis_subscriber> {
 public:
  using clock = redis_connection::clock;

  redis_subscriber(std::shared_ptr<loop> where, std::shared_ptr<const redis_settings> settings,
                   std::shared_ptr<redis_counters> counters, connect_gate &gate, lease_desk &desk,
                   std::function<void()> all_confirmed);

  struct change {
    redis_subscription::change what;
    std::string name;
    operation_ptr<bool> op;
    clock::time_point deadline;
    std::uint64_t ticket = 0;
  };
  void apply(const std::shared_ptr<redis_mailbox> &reader, change c);
  /// A subscription is gone with all its names.
  void forget(std::uint64_t reader);

  void expire(clock::time_point now, clock::time_point &next);
  bool cancel(std::uint64_t ticket);
  void watch(std::chrono::milliseconds idle, std::chrono::milliseconds overdue);
  void stop(const error &why);

  bool is_up() const noexcept { return connection_ && connection_->is_up(); }
  bool any_wanted() const noexcept { return wanted_.any_wanted(); }
  bool is_restored() const noexcept { return wanted_.is_restored(); }
  std::size_t under_way() const noexcept { return calls_.size(); }

 private:
  struct waiting_call {
    operation_ptr<bool> op;
    clock::time_point deadline;
    std::uint64_t ticket;
  };
  void connection_up(redis_connection &c) override;
  void connection_closed(redis_connection &c, const error &why, redis_connection::request_list,
                         redis_connection::request_list) override;
  void connection_push(redis_connection &c, redis_reply r) override;

  void perform(wanted_names::actions a);
  void send_names(name_kind kind, bool subscribe, const std::vector<std::string> &names, std::size_t at_once = 1000);
  void answered(name_kind kind, std::string_view name, bool subscribed);
  void refused(const error &why);
  void complete(wanted_names::call_id call, result<bool> r);
  void deliver(name_kind kind, std::string_view name, const redis_reply &r);
  void tell_all(redis_notice::kind what);
  void ensure_connection();
  void connect(connect_gate::turn turn);
  void close_when_unused();

  std::shared_ptr<loop> loop_;
  std::shared_ptr<const redis_settings> settings_;
  std::shared_ptr<redis_counters> counters_;
  connect_gate &gate_;
  lease_desk &desk_;
  std::function<void()> all_confirmed_;
  wanted_names wanted_;
  std::map<std::uint64_t, std::weak_ptr<redis_mailbox>> mailboxes_;
  struct sent_command {
    name_kind kind;
    bool subscribe;
    std::vector<std::string> names;
    std::size_t answered = 0;
  };
  std::deque<sent_command> sent_;  // whose names are not all answered; an error answers the oldest
  std::map<wanted_names::call_id, waiting_call> calls_;
  wanted_names::call_id last_call_ = 0;
  reconnect_plan plan_;
  boost::asio::steady_timer timer_;
  connect_gate::turn turn_;
  std::shared_ptr<redis_connection> connection_;
  error last_error_;
  std::chrono::milliseconds idle_, overdue_;
  std::uint64_t epoch_ = 0;
  enum class slot { none, waiting, held } slot_ = slot::none;
  bool stopped_ = false, refused_ = false;
};

}  // namespace corbel::detail
