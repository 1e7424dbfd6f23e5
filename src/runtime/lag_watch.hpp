#pragma once
/// Owns: how long the loops of a runtime let a due timer wait: each has one that is due twice a second. Callers: the runtime
/// core. Threads: any; each tick runs on its loop.

#include "health/health_table.hpp"
#include "io/loop.hpp"
#include "metrics/latency_histogram.hpp"

#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <memory>
#include <mutex>
#include <vector>

namespace corbel::detail {

class lag_watch : public std::enable_shared_from_this<lag_watch> {
 public:
  using clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds every{500}, too_late{250}, remembered{10'000}, held{15'000};

  explicit lag_watch(const std::vector<std::shared_ptr<loop>> &loops, std::weak_ptr<void> owner, health_table &table);
  void start();
  void stop();
  const latency_histogram &lags() const noexcept { return lags_; }

 private:
  struct one {
    std::shared_ptr<loop> home;
    std::unique_ptr<boost::asio::steady_timer> timer;  // on the loop
    bool stopped = false;                              // on the loop
    clock::time_point due{};                           // from here on under the mutex
    clock::time_point worst_at{};
    clock::duration worst{0};
  };
  void tick(std::size_t index);
  void arm(std::size_t index);
  /// What to say of all loops, one of which is alive.
  health_report report(clock::time_point now);

  std::weak_ptr<void> owner_;
  health_table &table_;
  latency_histogram lags_;
  std::mutex mutex_;
  std::vector<one> loops_;
};

}  // namespace corbel::detail
