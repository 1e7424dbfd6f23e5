#pragma once
/// What a queue is and how it is worked: given to producer, consumer and queue_inspector alike; each reads its own part.
///
/// Layouts. `native`: any plain key. `platform`: the chat queue of a KDCube deployment, whose tenant and project name it;
/// its lanes are the five user types. In both LLEN of a ready list is the depth, and payload bytes stay as they were put.

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace corbel {

enum class queue_layout : std::int32_t { native = 0, platform = 1 };

/// What becomes of a message whose worker died after the message had been handed to it.
enum class after_crash : std::int32_t {
  retry = 0,  ///< it is worked again
  /// It is not: it goes to the dead list as "interrupted". platform: only then is it marked as started for the platform's
  /// own reaper, which drops what it finds marked.
  interrupt = 1,
};

/// Messages of one kind, in a ready list of their own. Consumers take turns over the lanes that have messages, `weight`
/// messages a turn.
struct queue_lane {
  std::string name;
  std::uint32_t weight = 1;
};

/// How long a message waits before it is tried again: first, twice that, ... at most `most`; of that a random part between
/// one half and the whole.
struct queue_backoff {
  std::chrono::milliseconds first{1000};
  std::chrono::milliseconds most{300000};
};

/// When a put is refused: by what the processes that work the queue can hold (each floor(capacity * (1 - buffer)) +
/// floor(capacity * multiplier) messages), as they say in their heartbeats, and by the share of it that a lane may fill.
/// Names, defaults, reasons and times to come again are the platform's.
struct queue_admission {
  std::optional<std::uint64_t> capacity = {};  ///< of all processes together, instead of what heartbeats say
  double buffer = 0.2, multiplier = 2.0;
  double anonymous = 0.6, registered = 0.8, paid = 0.8,
         hard = 0.95;                     ///< `hard`: lane privileged, and a native queue without lanes
  std::uint64_t max_queue_size = 0;       ///< ready and in flight together; 0: no limit
  std::string tenant = {}, project = {};  ///< of the heartbeats; empty: the queue's own
  std::string service = "chat:proc";      ///< whose heartbeats count
  std::chrono::seconds heartbeat_timeout{45};
};

struct queue_options {
  /// native: key of the ready list, and with lanes the begin of their keys: "<name>:<lane>".
  std::string name = "corbel:queue";
  queue_layout layout = queue_layout::native;
  std::string tenant = {}, project = {};  ///< platform: required
  /// native: none, or as many as wanted. platform: weights for some of privileged, registered, anonymous, paid, external.
  std::vector<queue_lane> lanes = {};
  std::uint32_t max_attempts = 25;  ///< then a message goes to the dead list; CORBEL_UNBOUNDED: no limit

  // consumer
  std::uint32_t concurrency = 1;  ///< messages out at once
  /// Claimed ahead of concurrency. 0: by the speed; a native queue whose messages are worked at 8,000 a second or more
  /// claims ahead what it works off in about 2 ms, at most `concurrency` again; slower work, and interrupt below, nothing.
  std::uint32_t prefetch = 0;
  std::chrono::milliseconds lease{30000};  ///< how long a claim holds without renewal; platform: at least 1 s
  std::uint32_t max_in_flight = 1000;      ///< platform: no claim where a lane has so many in flight
  queue_backoff backoff = {};
  after_crash crashed = after_crash::retry;  ///< interrupt: prefetch has to be 0
  std::string instance = {};                 ///< names the holder of a lease; empty: the runtime's
  /// Hears of each message that this process found interrupted. Runs on the pool's I/O thread: it must not block or throw.
  std::function<void(const std::string &id, const std::string &body)> interrupted = {};
  /// platform: hears of each wake-up that is acknowledged without being worked, because its event was worked before or
  /// cannot be (`reason`, such as "event_already_consumed"): its conversation may still be marked as in progress. Again
  /// after a crash. Runs on the pool's I/O thread: it must not block or throw.
  std::function<void(const std::string &id, const std::string &body, const std::string &reason)> ignored = {};

  // producer
  std::uint64_t max_body = 16u << 20;                      ///< bytes of one body
  std::chrono::milliseconds idempotency_window{86400000};  ///< how long a put's idempotency key is known
  std::optional<queue_admission> admission = {};           ///< none: everything is taken
};

}  // namespace corbel
