#pragma once
/// Owns: the timer that makes delayed messages ready: when the next one is due, as far as known, and once a second, for
/// others may have put one. Callers: consumer_core. Thread: the pool's I/O thread.

#include "queue/protocol.hpp"

#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <random>

namespace corbel::detail {

class promoter : public std::enable_shared_from_this<promoter> {
 public:
  /// moved: messages became ready.
  promoter(const redis_pool &pool, std::shared_ptr<const queue_protocol> protocol, std::function<void()> moved);

  void start();
  /// Somebody here delayed a message for so long.
  void expect(std::chrono::milliseconds delay);
  void stop();

 private:
  using clock = std::chrono::steady_clock;
  void wait(clock::time_point until);
  void promote();
  void promoted(const result<redis_reply> &r);

  redis_pool pool_;
  const std::shared_ptr<const queue_protocol> protocol_;
  std::function<void()> moved_;
  std::minstd_rand random_;
  boost::asio::steady_timer timer_;
  clock::time_point due_{};
  bool under_way_ = false, stopped_ = false;
};

}  // namespace corbel::detail
