#pragma once
/// Owns: one PostgreSQL pool: the desk of its connections, the listen hub, deadlines, metrics, health. Callers: the public
/// handles and the C API. Thread: query, lease, close, stats, apply are for any thread; the rest is the pool's loop. It
/// lives as long as a handle or something under way needs it, and is closed with the last handle.

#include "base/inbox.hpp"
#include "pool/connect_gate.hpp"
#include "pool/saturation_watch.hpp"
#include "postgres/desk.hpp"
#include "runtime/runtime_core.hpp"

#include <corbel/pg_pool.hpp>

#include <boost/asio/steady_timer.hpp>

#include <memory>

namespace corbel::detail {

class pg_listen_hub;
class pg_mailbox;

class pg_pool_core final : public component, public pg_desk::listener, public std::enable_shared_from_this<pg_pool_core> {
 public:
  using clock = pg_connection::clock;

  /// Throws failure.
  static std::shared_ptr<pg_pool_core> open(const std::shared_ptr<runtime_core> &runtime, pg_options options);
  pg_pool_core(std::shared_ptr<runtime_core> runtime, std::shared_ptr<const pg_settings> settings);
  ~pg_pool_core() override;
  /// What copies of a public handle share: the last one to go closes the pool.
  static std::shared_ptr<pg_pool_core> make_handle(std::shared_ptr<pg_pool_core> core);

  // Any thread. Each finishes its operation exactly once.
  void query(std::unique_ptr<pg_request> r, const call &c);
  void query_on(const std::shared_ptr<pg_connection> &lease, std::unique_ptr<pg_request> r, const call &c);
  void exchange_on(const std::shared_ptr<pg_connection> &lease, std::shared_ptr<pg_exchange> e);
  void lease(operation_ptr<pg_lease> op, const call &c, std::uint64_t ticket = 0);
  std::shared_ptr<pg_connection> try_lease() noexcept;
  void give_back(std::shared_ptr<pg_connection> c, bool discard) noexcept;
  /// A listener wants or leaves a channel.
  void change(const std::shared_ptr<pg_mailbox> &who, bool listen, std::string channel, operation_ptr<void> op,
              const call &c, std::uint64_t ticket = 0);
  void forget(const std::shared_ptr<pg_mailbox> &who);
  result<void> apply(const pg_limits &l);
  void close(operation_ptr<void> op, const call &c);
  /// The last handle is gone.
  void release_handle() noexcept;
  pg_stats stats() const;

  /// Why a call is refused at once; success when it is not.
  error refusal() const;
  std::uint64_t next_ticket() noexcept { return ticket_base_ + ticket_count_.fetch_add(1, std::memory_order_relaxed); }
  runtime_core &runtime() noexcept { return *runtime_; }
  const std::string &name() const noexcept { return name_; }
  const pg_settings &settings() const noexcept { return *settings_; }
  pg_desk &desk() noexcept { return *desk_; }
  pg_listen_hub &hub() noexcept { return *hub_; }
  clock::time_point deadline_of(const call &c, std::chrono::milliseconds otherwise, clock::time_point now) const;
  /// INVALID for a statement that cannot be sent, or must not be where others share the connection.
  static error misplaced(const pg_statement &s, bool on_lease);

  // component:
  loop &home() noexcept override { return *loop_; }
  const std::shared_ptr<loop> &home_ptr() const noexcept { return loop_; }
  std::string left() const override;
  void drain(std::function<void()> idle) override;
  void abort() override;
  void cancel(std::uint64_t ticket) override;

  // pg_desk::listener:
  void desk_deadline(clock::time_point when) override { arm(when); }
  void desk_connected(pg_connection &c) override;
  void desk_failed(const error &why, std::uint32_t open) override;
  void desk_lost(const error &why) override;
  void desk_says(log_level level, std::string text, const char *sqlstate) override;

 private:
  void build();
  void prepare(pg_request &r, const call &c);
  void drain_inbox();
  void arm(clock::time_point when);
  void sweep();
  void await_idle(std::function<void()> idle);
  void tell_saturated(bool saturated, const std::string &counts);
  void write_metrics(metrics_writer &w) const;

  std::shared_ptr<runtime_core> runtime_;
  std::shared_ptr<loop> loop_;
  std::shared_ptr<const pg_settings> settings_;
  std::shared_ptr<pg_counters> counters_ = std::make_shared<pg_counters>();
  std::string name_;
  std::uint64_t number_ = 0, ticket_base_ = 0, metrics_source_ = 0;
  std::atomic<std::uint64_t> ticket_count_{1};
  std::atomic<bool> closing_{false}, aborted_{false};

  connect_gate gate_;
  std::shared_ptr<pg_desk> desk_;
  std::shared_ptr<saturation_watch> saturation_;
  std::shared_ptr<pg_listen_hub> hub_;
  inbox<pg_request> inbox_;
  boost::asio::steady_timer sweep_;
  clock::time_point armed_ = clock::time_point::max();
  std::atomic<health_state> health_{health_state::unknown};
};

}  // namespace corbel::detail
