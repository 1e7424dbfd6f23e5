#pragma once
/// Owns: what is known of the capacity of the processes that work a queue, as admission needs it. Callers: producer_core.
/// Thread: the pool's I/O thread.
///
/// A value is good for a second. Then the next question is still answered with it, at once, and a new one is read meanwhile;
/// only who asks before anything is known, or after five seconds without a question, waits for a reading. A reading that
/// fails leaves the last value in place; where there is none yet, its error is the answer.

#include "queue/protocol.hpp"

#include <functional>
#include <memory>

namespace corbel::detail {

class fleet_watch {
 public:
  using answer = std::function<void(result<fleet_capacity>)>;

  /// options.admission has to be set. Where it has a capacity, that is the answer always, and nothing is read.
  fleet_watch(const redis_pool &pool, const queue_options &options);
  ~fleet_watch();

  /// Calls back exactly once, before it returns where the value is known.
  void now(answer tell);

 private:
  struct state;
  std::shared_ptr<state> state_;
};

}  // namespace corbel::detail
