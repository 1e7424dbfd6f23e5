#pragma once
/// Owns: what a pool's monitors know of the server: the state, the epoch, the last error, and who listens. Callers: the pool
/// reports on its loop; monitors read and listen. Thread: any. Listeners are called on the listener thread, coalesced to the
/// latest state; a server that flaps is told at most `burst` times at once and then `per_second`.

#include "events/listener_thread.hpp"
#include "io/loop.hpp"

#include <corbel/redis_monitor.hpp>

#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

namespace corbel::detail {

class redis_link : public std::enable_shared_from_this<redis_link> {
 public:
  using clock = std::chrono::steady_clock;
  static constexpr double burst = 10, per_second = 5;

  redis_link(std::shared_ptr<loop> where, listener_thread &threads)
      : loop_(std::move(where)), threads_(threads), timer_(loop_->context()) {}

  // On the loop:
  void trying();
  void up(std::uint64_t epoch);
  void down(const error &why);
  void resubscribed();
  void stop();

  // Any thread:
  redis_state state() const noexcept { return last().state; }
  redis_state_change last() const;
  /// fn runs on the listener thread. The present state is told at once.
  std::uint64_t listen(std::function<void(const redis_state_change &)> fn);
  bool unlisten(std::uint64_t id);

 private:
  struct subscriber {
    std::shared_ptr<listener> runs_on;
    std::function<void(const redis_state_change &)> fn;
    std::mutex mutex;
    redis_state_change state;  // to be told
    bool state_pending = false, resubscribed_pending = false;
    bool reconnecting_pending = false;  // after the state, which is down: a loss is never coalesced away by the first try
  };
  void set(redis_state_change next, bool tell);
  void tell_all(bool resubscribed);
  static void tell(const std::shared_ptr<subscriber> &s, const redis_state_change &c, bool resubscribed);

  std::shared_ptr<loop> loop_;
  listener_thread &threads_;
  boost::asio::steady_timer timer_;
  double tokens_ = burst;
  clock::time_point refilled_ = clock::now();
  bool deferred_ = false, told_reconnecting_ = false;

  mutable std::mutex mutex_;
  redis_state_change state_;
  std::uint64_t last_id_ = 0;
  std::map<std::uint64_t, std::shared_ptr<subscriber>> subscribers_;
};

}  // namespace corbel::detail
