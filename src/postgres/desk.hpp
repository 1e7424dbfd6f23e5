#pragma once
/// Owns: all connections of a pool but the listening one: which are idle, leased or shared, who waits for a lease, which
/// statements wait to be sent. Callers: the pool. Thread: want, try_idle and give_back are for any thread (a lock guards
/// ledger, idle ones and waiters; it is never held while others' code runs); the rest is the pool's loop.

#include "pool/connect_gate.hpp"
#include "pool/ledger.hpp"
#include "pool/reconnect_plan.hpp"
#include "postgres/connection.hpp"
#include "postgres/share_plan.hpp"

#include <corbel/pg_pool.hpp>

#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

namespace corbel::detail {

class pg_desk final : public pg_connection::owner, public std::enable_shared_from_this<pg_desk> {
 public:
  using clock = pg_connection::clock;
  using connection_ptr = std::shared_ptr<pg_connection>;

  /// What a desk tells its pool, on the loop.
  class listener {
   public:
    /// expire() has to be called then.
    virtual void desk_deadline(clock::time_point when) = 0;
    virtual void desk_connected(pg_connection &c) = 0;
    /// open: connections that are still there.
    virtual void desk_failed(const error &why, std::uint32_t open) = 0;
    virtual void desk_lost(const error &why) = 0;
    virtual void desk_says(log_level level, std::string text, const char *sqlstate) = 0;

   protected:
    ~listener() = default;
  };

  pg_desk(std::shared_ptr<loop> where, std::shared_ptr<const pg_settings> settings, std::shared_ptr<pg_counters> counters,
          offload &blocking, connect_gate &gate, std::weak_ptr<pg_pool_core> pool, listener &l);

  struct waiter {
    operation_ptr<pg_lease> op;
    clock::time_point deadline, since;
    std::uint64_t ticket = 0;
    bool waited = false;
  };

  /// Opens min_size connections, at least one.
  void start();
  void want(waiter w);
  connection_ptr try_idle() noexcept;
  /// A lease ends: the connection is restored and used again, or discarded.
  void give_back(connection_ptr c, bool discard) noexcept;
  /// A statement for a shared connection.
  void submit(pg_request *r);

  /// A slot for the listening connection, now; or later, when `go` is called on the loop.
  bool want_listening_slot(std::function<void()> go);
  void listening_gone();

  void apply(const pg_limits &l);
  pg_limits limits() const;
  void expire(clock::time_point now, clock::time_point &next);
  bool cancel(std::uint64_t ticket);
  /// Fails waiters and statements and closes everything.
  void stop(const error &why);

  ledger::counts counts() const;
  std::string text() const;
  std::size_t queued() const noexcept { return queued_.load(std::memory_order_relaxed); }
  /// Statements and callers that wait.
  std::size_t under_way() const;
  const error &last_error() const noexcept { return last_error_; }

 private:
  void connection_up(pg_connection &c) override;
  void connection_closed(pg_connection &c, const error &why, pg_connection::request_list sent,
                         pg_connection::request_list unsent) override;
  void connection_answered(pg_connection &c, std::uint32_t answered, std::uint32_t abandoned) override;
  void connection_again(pg_connection &c, pg_request *r) override;
  void connection_deadline(clock::time_point when) override { listener_.desk_deadline(when); }
  bool connection_is_alone() const override;

  // desk.cpp and desk_share.cpp: where connections go
  void place(connection_ptr c, ledger::from where);
  connection_ptr take_idle() noexcept;  // under the lock
  void hand_over(waiter w, connection_ptr c);
  void share(const connection_ptr &c);
  void unshare(pg_connection &c);
  void dispatch();
  bool can_grow() const;
  connection_ptr idle_to_share();
  share_plan::slot pick_or_share();
  void reserve_for_waiters();
  void retire(connection_ptr c, ledger::from where, const char *why);
  bool is_old(const pg_connection &c) const noexcept { return clock::now() >= c.desk.old_at; }
  connection_ptr pointer_to(const pg_connection &c) const;
  void queue_front(pg_request *r);
  void count_queue() noexcept { queued_.store(queue_.size(), std::memory_order_relaxed); }

  // desk_open.cpp: new connections
  void open_more(std::uint32_t others = 0);
  void open_one();
  void open_failed(pg_connection &c, const error &why);
  /// The last try was refused for good, and there is nothing else: those who wait need not.
  bool is_hopeless() const noexcept;
  void fail_waiting(const error &why);
  /// How many connections are worth opening besides those for leases.
  std::uint32_t wished() const noexcept;
  bool has_lost_or_failed() const noexcept { return has_lost_ || last_error_; }

  // desk_restore.cpp: after a lease, and checks of idle ones
  void restore(connection_ptr c);
  void ask(const connection_ptr &c, const char *sql, bool is_check);
  void asked(const connection_ptr &c, bool is_check, const error &why);
  void end_lease(const connection_ptr &c, const char *why);
  void release_callers(pg_connection &c, const error &sent, const error &unsent);
  void arm_idle();
  void look_at_idle();
  class restoring_request;

  // desk_expiry.cpp
  error exhausted(clock::duration waited) const;
  error unsent_error(const pg_request &r, clock::time_point now) const;
  void let_go(pg_connection &c, pg_connection::let_go gone);

  std::shared_ptr<loop> loop_;
  std::shared_ptr<const pg_settings> settings_;
  std::shared_ptr<pg_counters> counters_;
  offload &blocking_;
  connect_gate &gate_;
  std::weak_ptr<pg_pool_core> pool_;  // for the leases
  listener &listener_;

  mutable std::mutex mutex_;
  ledger ledger_;
  struct idle_connection {
    connection_ptr connection;
    clock::time_point checked;
  };
  std::vector<idle_connection> idle_;  // newest last, taken first
  std::deque<waiter> waiting_;
  std::function<void()> slot_waiter_;
  bool stopped_ = false;
  std::atomic<std::size_t> queued_{0};

  // On the loop:
  std::vector<connection_ptr> all_;
  struct attempt {
    connection_ptr connection;
    connect_gate::turn turn;
  };
  std::vector<attempt> opening_;
  share_plan share_;
  std::vector<connection_ptr> sharing_;  // by slot
  std::deque<pg_request *> queue_;       // statements that no connection takes now, oldest first
  reconnect_plan plan_;
  boost::asio::steady_timer retry_, idle_timer_;
  bool retry_armed_ = false, idle_armed_ = false, dispatching_ = false, has_lost_ = false;
  error last_error_;
};

}  // namespace corbel::detail
