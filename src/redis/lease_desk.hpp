#pragma once
/// Owns: the connections that are leased one by one: the idle ones, those who wait, in FIFO order. Callers: the pool.
/// Thread: want, try_idle and give_back are for any thread (a lock guards ledger, idle ones and waiters; it is never held
/// while others' code runs); the rest is the pool's loop.

#include "pool/connect_gate.hpp"
#include "pool/ledger.hpp"
#include "pool/reconnect_plan.hpp"
#include "redis/connection.hpp"

#include <corbel/redis_pool.hpp>

#include <boost/asio/steady_timer.hpp>

#include <deque>
#include <memory>
#include <mutex>
#include <vector>

namespace corbel::detail {

class lease_desk final : public redis_connection::owner, public std::enable_shared_from_this<lease_desk> {
 public:
  using clock = redis_connection::clock;
  using deadline_function = std::function<void(clock::time_point)>;

  /// watch_deadline: called on the loop with times at which expire() has to be called.
  lease_desk(std::shared_ptr<loop> where, std::shared_ptr<const redis_settings> settings,
             std::shared_ptr<redis_counters> counters, connect_gate &gate, std::weak_ptr<redis_pool_core> pool,
             deadline_function watch_deadline);

  struct waiter {
    operation_ptr<redis_lease> op;
    clock::time_point deadline, since;
    std::uint64_t ticket = 0;
    bool waited = false;
  };

  void want(waiter w);
  std::shared_ptr<redis_connection> try_idle() noexcept;
  /// A lease ends. The connection is used again when its state is known and it is not too old.
  void give_back(std::shared_ptr<redis_connection> c) noexcept;

  /// A slot for the subscription connection; go runs on the loop when there is one, before later leases. False: the cap
  /// allows none at all.
  bool want_subscription_slot(std::function<void()> go);
  void subscription_gone();
  /// Another cap; returns the one before. Any thread; fit() on the loop has to follow.
  std::uint32_t set_max_size(std::uint32_t n);
  /// Closes idle connections that are over the cap, opens for those who wait where it has room.
  void fit();
  bool is_over() const;
  std::uint32_t max_size() const;
  /// A slot for one more pipeline, now or not at all.
  bool add_pipeline();
  void pipeline_gone();

  void expire(clock::time_point now, clock::time_point &next);
  bool cancel(std::uint64_t ticket);
  /// Fails waiters and closes everything.
  void stop(const error &why);

  ledger::counts counts() const;
  std::string text() const;
  /// Requests of leases and callers that wait.
  std::size_t under_way() const;
  const error &last_error() const noexcept { return last_error_; }

 private:
  using connection_ptr = std::shared_ptr<redis_connection>;
  void connection_up(redis_connection &c) override;
  void connection_closed(redis_connection &c, const error &why, redis_connection::request_list sent,
                         redis_connection::request_list unsent) override;
  void connection_deadline(clock::time_point when) override { watch_deadline_(when); }

  bool is_reusable(const redis_connection &c) const noexcept;
  void place(connection_ptr c);                            // to the first waiter, or idle
  std::shared_ptr<redis_connection> take_idle() noexcept;  // under the lock
  void hand_over(waiter w, connection_ptr c);
  void open_one();
  void open_more();
  void discard(connection_ptr c);
  void arm_idle();
  void close_idle();
  error exhausted(clock::time_point since, clock::time_point now) const;

  std::shared_ptr<loop> loop_;
  std::shared_ptr<const redis_settings> settings_;
  std::shared_ptr<redis_counters> counters_;
  connect_gate &gate_;
  std::weak_ptr<redis_pool_core> pool_;  // for the leases
  deadline_function watch_deadline_;

  mutable std::mutex mutex_;
  ledger ledger_;
  struct idle_connection {
    connection_ptr connection;
    clock::time_point since;
  };
  std::vector<idle_connection> idle_;  // newest last, taken first
  std::deque<waiter> waiting_;
  std::function<void()> slot_waiter_;  // the subscriber, when no slot was free
  bool stopped_ = false;

  // On the loop:
  std::vector<connection_ptr> all_;
  struct attempt {
    connection_ptr connection;
    connect_gate::turn turn;
  };
  std::vector<attempt> opening_;
  reconnect_plan plan_;
  boost::asio::steady_timer retry_, idle_timer_;
  bool retry_armed_ = false, idle_armed_ = false;
  error last_error_;
};

}  // namespace corbel::detail
