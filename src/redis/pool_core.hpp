#pragma once
/// Owns: one Redis pool: its pipelines, the desk of leases, the subscriber, the link that monitors watch, deadlines,
/// metrics, health. Callers: the public handles and the C API. Thread: send, lease, change, close, stats are for any thread;
/// the rest is the pool's loop. It lives as long as a handle or something under way needs it, and is closed with the last
/// handle.

#include "base/inbox.hpp"
#include "pool/connect_gate.hpp"
#include "pool/saturation_watch.hpp"
#include "redis/followers.hpp"
#include "redis/lease_desk.hpp"
#include "redis/link.hpp"
#include "redis/pipeline.hpp"
#include "redis/subscriber.hpp"
#include "runtime/runtime_core.hpp"

#include <corbel/redis_monitor.hpp>
#include <corbel/redis_pool.hpp>

#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <vector>

namespace corbel::detail {

class redis_pool_core final : public component,
                              public redis_pipeline::listener,
                              public std::enable_shared_from_this<redis_pool_core> {
 public:
  using clock = redis_connection::clock;

  /// Opens a pool and begins to connect. Throws failure.
  static std::shared_ptr<redis_pool_core> open(const std::shared_ptr<runtime_core> &runtime, redis_options options);
  redis_pool_core(std::shared_ptr<runtime_core> runtime, std::shared_ptr<const redis_settings> settings);
  ~redis_pool_core() override;

  // Any thread. Each finishes its operation exactly once.
  void send(std::unique_ptr<redis_request> r, const call &c);
  /// As send, for what refusal and misplaced were asked about already.
  void hand_over(std::unique_ptr<redis_request> r, const call &c);
  /// Many at once, linked by next, the newest first.
  void send_all(redis_request *newest, const call &c);
  void send_on(const std::shared_ptr<redis_connection> &lease, std::unique_ptr<redis_request> r, const call &c);
  void lease(operation_ptr<redis_lease> op, const call &c, std::uint64_t ticket = 0);
  std::shared_ptr<redis_connection> try_lease() noexcept;
  void give_back(std::shared_ptr<redis_connection> c) noexcept {
    if (!runtime_->forked()) desk_->give_back(std::move(c));
  }
  void change(const std::shared_ptr<redis_mailbox> &reader, redis_subscription::change what, std::string name,
              operation_ptr<bool> op, const call &c, std::uint64_t ticket = 0);
  void forget(const std::shared_ptr<redis_mailbox> &reader);
  void close(operation_ptr<void> op, const call &c);
  /// The last handle is gone, or the C handle was freed.
  void release_handle() noexcept;
  result<void> resize(std::uint32_t max_size);
  redis_stats stats() const;
  std::uint64_t add_watch(redis_monitor_options o);
  void remove_watch(std::uint64_t id);

  /// Why a call is refused at once; success when it is not.
  error refusal() const;
  std::uint64_t next_ticket() noexcept { return next_tickets(1); }
  /// The first of so many that follow each other.
  std::uint64_t next_tickets(std::size_t count) noexcept {
    return ticket_base_ + ticket_count_.fetch_add(count, std::memory_order_relaxed);
  }
  runtime_core &runtime() noexcept { return *runtime_; }
  redis_link &link() noexcept { return *link_; }
  /// On the loop only.
  redis_followers &followers() noexcept { return followers_; }
  bool is_up() const noexcept;  ///< what is sent now leaves at once
  const std::string &name() const noexcept { return name_; }
  const redis_settings &settings() const noexcept { return *settings_; }
  /// INVALID for a command that must not run on a shared pipeline, or on a lease.
  static error misplaced(const redis_command &c, bool on_lease);

  // component:
  loop &home() noexcept override { return *loop_; }
  std::string left() const override;
  void drain(std::function<void()> idle) override;
  void abort() override;
  void cancel(std::uint64_t ticket) override;

 private:
  void build();
  void prepare(redis_request &r, const call &c, clock::time_point now);
  /// When a request may have to be retried or ended.
  static clock::time_point first_look(const redis_request &r) noexcept;
  void drain_inbox();
  void route(redis_request *r, const redis_pipeline *avoid = nullptr);
  redis_pipeline *add_pipeline();
  void retire_idle_pipelines();
  void retire_one_pipeline();
  void shrink();
  void arm(clock::time_point when);
  void sweep();
  void await_idle(std::function<void()> idle);
  void apply_watch();
  void tell_saturated(bool saturated, const std::string &counts);
  void write_metrics(metrics_writer &w) const;
  clock::time_point deadline_of(const call &c, clock::time_point now) const;

  void pipeline_trying(redis_pipeline &p) override;
  void pipeline_up(redis_pipeline &p) override;
  void pipeline_down(redis_pipeline &p, const error &why) override;
  void pipeline_retry(redis_pipeline &p, redis_request *r) override { route(r, &p); }

  static constexpr std::size_t busy_unanswered = 256, busy_unsent = 1u << 20;

  std::shared_ptr<runtime_core> runtime_;
  std::shared_ptr<loop> loop_;
  std::shared_ptr<const redis_settings> settings_;
  std::shared_ptr<redis_counters> counters_ = std::make_shared<redis_counters>();
  std::string name_;
  std::uint64_t number_ = 0, ticket_base_ = 0, metrics_source_ = 0;
  std::atomic<std::uint64_t> ticket_count_{1};
  std::atomic<bool> closing_{false}, aborted_{false};

  connect_gate gate_;
  std::shared_ptr<redis_link> link_;
  redis_followers followers_;
  std::shared_ptr<lease_desk> desk_;
  std::shared_ptr<saturation_watch> saturation_;
  std::shared_ptr<redis_subscriber> subscriber_;
  std::vector<std::shared_ptr<redis_pipeline>> pipelines_;  // the first one stays
  bool shrinking_ = false;  // over the cap: the last pipeline gets nothing new, so that it can be retired
  inbox<redis_request> inbox_;
  boost::asio::steady_timer sweep_, retire_, shrink_;
  clock::time_point armed_ = clock::time_point::max();
  std::map<std::uint64_t, redis_monitor_options> watches_;
  std::atomic<std::uint64_t> last_watch_{0};
};

}  // namespace corbel::detail
