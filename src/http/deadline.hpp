#pragma once
/// The one deadline of a connection, moved for each thing it waits for. Moving it costs nothing; the timer is armed again
/// only when it fires too early or would fire too late.
///
/// Threads: the server's executor, all members.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <memory>

namespace corbel::detail {

class http_deadline {
 public:
  using clock = std::chrono::steady_clock;

  /// expire runs when the deadline passes, and again every 50 ms until set(), clear() or the end: what it is to cancel may
  /// just be between two waits.
  http_deadline(boost::asio::any_io_executor executor, std::function<void(bool first)> expire);
  http_deadline(const http_deadline &) = delete;
  http_deadline &operator=(const http_deadline &) = delete;
  ~http_deadline();

  void set(clock::duration from_now);
  void clear() noexcept { state_->at = clock::time_point::max(); }  ///< expired() stays as it is
  /// True when the deadline last set has passed and was told.
  bool expired() const noexcept { return state_->expired; }

 private:
  struct state {
    explicit state(const boost::asio::any_io_executor &e) : timer(e) {}
    boost::asio::steady_timer timer;
    std::function<void(bool first)> expire;
    clock::time_point at = clock::time_point::max();
    clock::time_point armed = clock::time_point::max();
    bool expired = false;
  };
  static void arm(const std::shared_ptr<state> &s);
  std::shared_ptr<state> state_;
};

}  // namespace corbel::detail
