#pragma once
/// Owns: the rules of a queue's admission, and what is known of the capacity of the processes that work it. Callers:
/// producer_core. Thread: the pool's I/O thread.
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
  using answer = std::function<void(result<put_admission>)>;

  /// Where the rules have a capacity, that is the answer always, and nothing is read. options: of the queue, for its scope.
  fleet_watch(const redis_pool &pool, const queue_options &options, queue_admission rules);
  ~fleet_watch();

  /// Calls back exactly once, before it returns where the value is known.
  void now(answer tell);

 private:
  struct state;
  std::shared_ptr<state> state_;
};

}  // namespace corbel::detail
