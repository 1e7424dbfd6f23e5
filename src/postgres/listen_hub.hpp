#pragma once
/// Owns: the one connection of a pool that listens, reconnected for ever while a channel is wanted, and who gets what is
/// notified. Callers: the listeners, through the pool. Thread: the pool's loop.

#include "pool/connect_gate.hpp"
#include "pool/reconnect_plan.hpp"
#include "postgres/connection.hpp"
#include "postgres/desk.hpp"
#include "postgres/mailbox.hpp"
#include "postgres/wanted_channels.hpp"

#include <boost/asio/steady_timer.hpp>

#include <deque>
#include <functional>
#include <map>
#include <memory>

namespace corbel::detail {

class pg_listen_hub final : public pg_connection::owner, public std::enable_shared_from_this<pg_listen_hub> {
 public:
  using clock = pg_connection::clock;
  using deadline_function = std::function<void(clock::time_point)>;

  pg_listen_hub(std::shared_ptr<loop> where, std::shared_ptr<const pg_settings> settings,
                std::shared_ptr<pg_counters> counters, offload &blocking, connect_gate &gate, pg_desk &desk,
                deadline_function watch_deadline);

  struct change {
    bool listen = true;
    std::string channel;
    operation_ptr<void> op;
    clock::time_point deadline;
    std::uint64_t ticket = 0;
  };
  void apply(const std::shared_ptr<pg_mailbox> &who, change c);
  /// The listener is gone.
  void forget(std::uint64_t who);
  void expire(clock::time_point now, clock::time_point &next);
  bool cancel(std::uint64_t ticket);
  void stop(const error &why);
  std::size_t under_way() const noexcept { return waiting_.size(); }

 private:
  class request;
  using end_function = std::function<void(const error &)>;
  static pg_request *make_request(const std::string &sql, end_function end);
  struct waiter : change {
    std::uint64_t who = 0;
  };
  void connection_up(pg_connection &c) override;
  void connection_closed(pg_connection &c, const error &why, pg_connection::request_list sent,
                         pg_connection::request_list unsent) override;
  void connection_again(pg_connection &c, pg_request *r) override { c.submit(r); }
  void connection_notify(pg_connection &c, const char *channel, const char *payload, int backend) override;

  void connect();
  void try_connect();
  void send(bool listen, const std::string &channel);
  void answered(bool listen, const std::string &channel, std::uint64_t question, const error &why);
  void end_waiters(const std::string &channel, bool listen, const error &why);
  void tell_all(pg_notice::kind what);
  void rest_when_unwanted();
  void check_when_idle();
  void end_connecting() noexcept;

  std::shared_ptr<loop> loop_;
  std::shared_ptr<const pg_settings> settings_;
  std::shared_ptr<pg_counters> counters_;
  offload &blocking_;
  connect_gate &gate_;
  pg_desk &desk_;
  deadline_function watch_deadline_;
  wanted_channels wanted_;
  std::map<std::uint64_t, std::weak_ptr<pg_mailbox>> readers_;
  std::deque<waiter> waiting_;
  std::shared_ptr<pg_connection> connection_;
  connect_gate::turn turn_;
  reconnect_plan plan_;
  boost::asio::steady_timer retry_, idle_;
  error last_error_;
  std::uint64_t epoch_ = 0;
  bool has_slot_ = false, wants_slot_ = false, is_connecting_ = false, is_up_ = false, is_restored_ = true, stopped_ = false;
};

}  // namespace corbel::detail
