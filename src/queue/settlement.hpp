#pragma once
/// Owns: one settlement of a message: sends its script until an answer, or the deadline. Callers: consumer_core. Thread: the
/// pool's I/O thread. It keeps itself alive.

#include "queue/queue_scripts.hpp"
#include "queue/settle_plan.hpp"

#include <boost/asio/steady_timer.hpp>

#include <functional>

namespace corbel::detail {

class settlement : public std::enable_shared_from_this<settlement> {
 public:
  using ended_function = std::function<void(result<bool>)>;

  /// timeout: as in call, where 0 is no value.
  settlement(const redis_pool &pool, std::shared_ptr<const queue_keys> keys, std::shared_ptr<const claimed_message> message,
             settle how, std::chrono::milliseconds timeout, ended_function ended);
  void start();

 private:
  void next(settle_plan::decision d);

  redis_pool pool_;
  const std::shared_ptr<const queue_keys> keys_;
  const std::shared_ptr<const claimed_message> message_;
  settle_plan plan_;
  ended_function ended_;
  boost::asio::steady_timer timer_;
};

}  // namespace corbel::detail
