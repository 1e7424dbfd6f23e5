#pragma once
/// What a client hears when the queue takes no more, in the platform's form. Pure but for the clock of the event; any
/// thread.

#include "operations/chat_task.hpp"
#include "relay/message.hpp"

#include <corbel/http_response.hpp>
#include <corbel/queue_options.hpp>
#include <corbel/result.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace corbel {

struct put_refusal {
  std::string reason;             ///< "hard_limit_exceeded", "no_healthy_processes" ...
  std::int64_t retry_after = 30;  ///< seconds
  std::string stats;  ///< JSON: current_queue_size, actual_capacity, healthy_processes, theoretical_thresholds ...

  /// What admission said of a put; none when the error is another.
  static std::optional<put_refusal> of(const error &why, const chat_task &task, const queue_admission &admission);

  /// 503 with Retry-After; the body's detail has error, error_type "queue.enqueue_rejected", reason, retry_after,
  /// queue_stats.
  http_response response() const;
  /// The same as an event on chat_service, for the stream that the message came from.
  relay_message event(const chat_task &task) const;

  std::string message() const { return "System under pressure - request rejected (" + reason + ")"; }
};

}  // namespace corbel
