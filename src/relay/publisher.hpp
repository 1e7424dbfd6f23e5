#pragma once
/// Publishes events of sessions. Threads: any.

#include "relay/channel.hpp"
#include "relay/message.hpp"

#include <corbel/redis_pool.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>

namespace corbel {

class relay_publisher {
 public:
  /// Kept in a channel's recent list: this many messages, this long.
  static constexpr int recent_messages = 256;
  static constexpr std::chrono::milliseconds recent_time{60000};

  relay_publisher(redis_pool pool, relay_scope scope);

  /// Publishes once, sent again after a loss; an id is made when there is none. How many subscribers were told.
  boost::asio::awaitable<result<std::int64_t>> publish(relay_message m);

  /// Publishes again and again while Redis is away, until it has worked, cannot work, or the time is over.
  boost::asio::awaitable<result<std::int64_t>> publish_surely(relay_message m, std::chrono::milliseconds patience);

 private:
  boost::asio::awaitable<result<std::int64_t>> send(const std::string &channel, const std::string &message, call c);
  redis_pool pool_;
  relay_scope scope_;
};

}  // namespace corbel
