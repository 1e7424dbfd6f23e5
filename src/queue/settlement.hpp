#pragma once
/// Owns: one settlement of a message, or the handing back of several: sends its script until an answer, or the deadline.
/// Callers: consumer_core. Thread: the pool's I/O thread. It keeps itself alive while it is under way.

#include "queue/queue_scripts.hpp"
#include "queue/settle_plan.hpp"

#include <boost/asio/steady_timer.hpp>

#include <functional>

namespace corbel::detail {

class settlement : public std::enable_shared_from_this<settlement> {
 public:
  using ended_function = std::function<void(const result<bool> &)>;

  /// timeout: as in call, where 0 is no value. ended runs once, with the result for the first message.
  settlement(const redis_pool &pool, std::shared_ptr<const queue_keys> keys, claimed_list messages, settle how,
             std::chrono::milliseconds timeout, ended_function ended);
  void start();
  /// Ends it now; what was sent may be applied.
  void end(const result<bool> &r);

 private:
  void next(settle_plan::decision d);

  redis_pool pool_;
  const std::shared_ptr<const queue_keys> keys_;
  const claimed_list messages_;
  settle_plan plan_;
  ended_function ended_;
  boost::asio::steady_timer timer_;
};

}  // namespace corbel::detail
