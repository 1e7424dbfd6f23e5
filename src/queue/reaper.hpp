#pragma once
/// Owns: the timer that brings back what dead consumers held: each third of the lease time, at least a second, with a random
/// tenth added so that consumers do not step together; of all consumers of a queue one does it. Callers: consumer_core.
/// Thread: the pool's I/O thread.

#include "queue/protocol.hpp"

#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <random>

namespace corbel::detail {

class reaper : public std::enable_shared_from_this<reaper> {
 public:
  /// done: what one call did, when it did something.
  reaper(const redis_pool &pool, std::shared_ptr<const queue_protocol> protocol, reap_request how,
         std::function<void(const reap_answer &)> done);

  void start();
  /// Waits its full time again: leases may have ended while the server was away, and their holders renew them first.
  void reconnected();
  void stop();

 private:
  void wait();
  void reap(std::int64_t cursor);

  redis_pool pool_;
  const std::shared_ptr<const queue_protocol> protocol_;
  reap_request how_;
  std::function<void(const reap_answer &)> done_;
  std::minstd_rand random_;
  boost::asio::steady_timer timer_;
  bool stopped_ = false;
};

}  // namespace corbel::detail
