#pragma once
/// Owns: what becomes of changes of a runtime's health: log lines, the calls of those who asked, and the timer that finds
/// what time alone changes. Callers: the runtime core. Threads: any.

#include "base/log.hpp"
#include "events/listener_thread.hpp"
#include "health/health_table.hpp"
#include "io/loop.hpp"
#include "metrics/writer.hpp"

#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

namespace corbel::detail {

class health_watch : public std::enable_shared_from_this<health_watch> {
 public:
  using listen_function = std::function<void(const health_change &)>;
  using clock = std::chrono::steady_clock;

  /// table must live until stop() has returned on the loop's thread, or until its owner is gone: `owner` is asked first.
  health_watch(std::shared_ptr<loop> where, health_table &table, logger &log);

  /// For the table. Nothing is told, and no timer runs, before owner is set.
  void tell(std::vector<health_change> changes, std::optional<clock::time_point> due);
  void set_owner(std::weak_ptr<void> owner) { owner_ = std::move(owner); }

  std::uint64_t listen(std::shared_ptr<listener> on, listen_function fn);
  void forget(std::uint64_t id);
  /// No timer runs any more.
  void stop();

 private:
  void log(const health_change &c);
  void arm(clock::time_point due);

  struct receiver {
    std::shared_ptr<listener> on;
    std::shared_ptr<listen_function> fn;
  };
  const std::shared_ptr<loop> loop_;
  health_table &table_;
  logger &log_;
  std::weak_ptr<void> owner_;
  std::atomic<bool> used_{false};  // the loop has something of ours
  std::mutex mutex_;
  std::map<std::uint64_t, receiver> receivers_;
  std::uint64_t last_ = 0;
  // On the loop.
  boost::asio::steady_timer timer_;
  clock::time_point armed_ = clock::time_point::max();
  bool stopped_ = false;
};

/// corbel_ready, corbel_alive, corbel_health_state, corbel_health_changes_total; nothing before a part has reported.
void write_health_metrics(metrics_writer &to, const health_table &table);

}  // namespace corbel::detail
