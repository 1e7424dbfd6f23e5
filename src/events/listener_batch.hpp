#pragma once
/// Owns: tasks for one listener that are many and small. The listener's thread is woken for the first of them and runs what
/// came meanwhile too, so that most cost their caller neither a wake-up nor a wait. In order, one at a time.
/// Callers: the log. Threads: post on any; tasks run where the listener's do.

#include "base/fork_guard.hpp"
#include "events/listener_thread.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <mutex>

namespace corbel::detail {

class listener_batch : public std::enable_shared_from_this<listener_batch> {
 public:
  using task = std::function<void()>;

  explicit listener_batch(std::shared_ptr<listener> to) : to_(std::move(to)) {}

  /// As listener::post: false when listener::max_tasks wait, and when the listener takes none any more. Never blocks long.
  bool post(task t);

 private:
  struct turn;
  bool ask();  // under the mutex
  void run();
  /// Takes back what is left of some, and gives others, the oldest first; false when there is nothing, or enough was done in
  /// this turn.
  bool take(std::deque<task> &some, bool enough, std::deque<task> &lost);
  /// The listener ended before it ran what it had taken.
  void lose();

  const std::shared_ptr<listener> to_;
  const fork_stamp stamp_;
  std::mutex mutex_;
  std::deque<task> tasks_;
  bool asked_ = false;  ///< the listener will run, or runs
};

}  // namespace corbel::detail
