#pragma once
/// Owns: the subscription to a queue's wake channel. Callers: consumer_core, which hears of wakes, reconnects and the pool's
/// end through the functions it gives. Thread: the pool's I/O thread. Where the pool refuses subscriptions (a cap of one
/// connection, missing rights) it asks again every few seconds; the consumer's poll works meanwhile.

#include "queue/queue_keys.hpp"

#include <corbel/redis_subscription.hpp>

#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <optional>

namespace corbel::detail {

class wake_listener : public std::enable_shared_from_this<wake_listener> {
 public:
  struct listeners {
    std::function<void()> woken;
    std::function<void()> reconnected;
    std::function<void(const error &)> closed;
  };
  wake_listener(const redis_pool &pool, std::shared_ptr<const queue_keys> keys, listeners tell);

  void start();
  /// Leaves the channel and tells nothing more.
  void stop();

 private:
  void subscribe();
  void receive();
  void received(const result<std::vector<redis_notice>> &batch);

  redis_pool pool_;
  const std::shared_ptr<const queue_keys> keys_;
  listeners tell_;
  std::optional<redis_subscription> subscription_;
  boost::asio::steady_timer timer_;
};

}  // namespace corbel::detail
