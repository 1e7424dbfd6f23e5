#pragma once
/// Owns: the timer that brings back what dead consumers held: each third of the lease time, at least a second, with a random
/// tenth added so that consumers do not step together. Callers: consumer_core. Thread: the pool's I/O thread.

#include "queue/queue_scripts.hpp"

#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <random>

namespace corbel::detail {

class reaper : public std::enable_shared_from_this<reaper> {
 public:
  reaper(const redis_pool &pool, std::shared_ptr<const queue_keys> keys, std::chrono::milliseconds lease);

  void start();
  /// Waits its full time again: leases may have ended while the server was away, and their holders renew them first.
  void reconnected();
  void stop();

 private:
  void wait();
  void reap(std::int64_t cursor);

  redis_pool pool_;
  const std::shared_ptr<const queue_keys> keys_;
  const std::chrono::milliseconds lease_;
  std::minstd_rand random_;
  boost::asio::steady_timer timer_;
  bool stopped_ = false;
};

}  // namespace corbel::detail
