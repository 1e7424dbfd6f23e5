#pragma once
/// Owns: the loops, the listener thread, the log, the metrics, the health table, and the list of components. Callers: every
/// handle holds it by shared_ptr, so handles and runtime may go in any order. Thread: any, unless a member says otherwise.

#include "base/fork_guard.hpp"
#include "base/log.hpp"
#include "events/listener_thread.hpp"
#include "health/health_table.hpp"
#include "io/component.hpp"
#include "io/loop.hpp"
#include "io/offload.hpp"
#include "metrics/host_metrics.hpp"
#include "metrics/registry.hpp"
#include "runtime/health_watch.hpp"
#include "runtime/lag_watch.hpp"

#include <corbel/runtime.hpp>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace corbel::detail {

class runtime_core : public std::enable_shared_from_this<runtime_core> {
 public:
  /// Throws failure. host: nullptr for threads of its own.
  static std::shared_ptr<runtime_core> open(runtime_options options, boost::asio::io_context *host);
  ~runtime_core();

  const std::string &name() const noexcept { return options_.name; }
  const std::string &instance() const noexcept { return options_.instance; }
  logger &log() noexcept { return *log_; }
  void log(log_level level, std::string part, std::string text, std::vector<log_field> fields = {}) {
    if (log_->enabled(level)) log_->write({level, std::move(part), std::move(text), std::move(fields)});
  }
  metrics_registry &metrics() noexcept { return metrics_; }
  /// The metrics of the host's own.
  host_metrics &host() noexcept { return host_metrics_; }
  health_table &health() noexcept { return health_; }
  health_watch &health_changes() noexcept { return *health_watch_; }
  /// Begins to report the part "runtime"; once.
  void watch_lag();
  listener_thread &listeners() noexcept { return *listeners_; }
  /// For work that blocks.
  offload &blocking() noexcept { return *offload_; }

  /// Loops in turn, so that pools spread over the I/O threads.
  std::shared_ptr<loop> next_loop() noexcept;
  const std::shared_ptr<loop> &first_loop() const noexcept { return loops_.front(); }
  bool on_io_thread() const noexcept;

  /// Why a new call is refused: FORKED or CLOSED; success when it is not.
  error refusal() const;
  bool forked() const noexcept { return stamp_.forked(); }

  /// Makes a component known for shutdown and cancelling; its number is never used again.
  std::uint64_t enlist(std::weak_ptr<component> c);
  void delist(std::uint64_t number) noexcept;
  /// Tickets carry the number of their component in the upper 20 bits.
  static std::uint64_t ticket_base(std::uint64_t number) noexcept { return number << 44; }
  void cancel(std::uint64_t ticket);

  /// A name for a component in log, metrics and health: `wanted`, or `wanted#2` when that is taken.
  std::string claim_name(const std::string &wanted);
  void free_name(const std::string &name) noexcept;

  /// Called on shutdown, once, for those who wait on something else than a call (event queues).
  std::uint64_t at_shutdown(std::function<void()> fn);
  void forget_shutdown(std::uint64_t id) noexcept;

  /// Begins the shutdown (the first call decides) and calls done with its result, on an I/O thread.
  void begin_shutdown(std::chrono::milliseconds timeout, std::function<void(result<void>)> done);
  /// The same, blocking, and ends the threads.
  result<void> shutdown(std::chrono::milliseconds timeout);

 private:
  runtime_core(runtime_options options, boost::asio::io_context *host);
  struct shutdown_state;
  void finish_shutdown(const std::shared_ptr<shutdown_state> &state, bool timed_out);
  std::vector<std::shared_ptr<component>> components() const;

  runtime_options options_;
  fork_stamp stamp_;
  std::atomic<bool> closing_{false};
  std::vector<std::shared_ptr<loop>> loops_;
  std::atomic<unsigned> next_loop_{0};
  std::unique_ptr<listener_thread> listeners_;
  std::shared_ptr<listener> log_listener_;
  std::unique_ptr<logger> log_;
  std::unique_ptr<offload> offload_ = std::make_unique<offload>();
  metrics_registry metrics_;
  host_metrics host_metrics_;
  health_table health_;
  std::shared_ptr<health_watch> health_watch_;

  mutable std::mutex mutex_;
  std::uint64_t last_component_ = 0, last_hook_ = 0;
  std::map<std::uint64_t, std::weak_ptr<component>> components_;
  std::map<std::uint64_t, std::function<void()>> shutdown_hooks_;
  std::set<std::string> names_;
  std::shared_ptr<shutdown_state> shutdown_;
  bool threads_ended_ = false;
  std::shared_ptr<lag_watch> lag_watch_;
};

}  // namespace corbel::detail
