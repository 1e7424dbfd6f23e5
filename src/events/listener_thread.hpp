#pragma once
/// Owns: the threads on which log, monitor and other listeners of a runtime are called.
/// Called by: whatever calls code of the host that must not run on an I/O thread.
/// Threads: every function here may be called on any thread, a listener's own call included. Listeners run one call at a
/// time each, in the order of their tasks, on one common thread; that one starts with the first task and sleeps on a
/// condition variable, without any timer, while nothing is queued.
///
/// A listener whose call stays over a second (`slow_after`) gets that thread for its own until it is closed, and one
/// warning is given; the others go on on a fresh thread. A call is watched only while something else is queued: a slow call
/// that nobody waits for is found out when it ends.
///
/// In a child after fork nothing is taken, run or waited for; everything may be freed.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace corbel::detail {

class listener_hub;
struct listener_queue;

/// One serial receiver. Freeing it without close() lets what is queued still run.
class listener {
 public:
  static constexpr std::size_t max_tasks = 10'000;

  listener(std::shared_ptr<listener_hub> hub, std::shared_ptr<listener_queue> queue) noexcept;
  ~listener();
  listener(const listener &) = delete;
  listener &operator=(const listener &) = delete;

  /// Queues a task. False, and the task is destroyed on this thread, when max_tasks are waiting (which is counted), after
  /// close() and after stop(). A task that throws is reported through warn, at most once a second for each listener.
  bool post(std::function<void()> task);
  /// The same, but takes the place of the task given before by post_latest where that has not begun. Never full.
  bool post_latest(std::function<void()> task);
  /// No task begins afterwards; what is queued is destroyed on this thread. Never blocks: a running task goes on.
  void close();
  /// How many tasks post() refused because max_tasks were waiting.
  std::uint64_t refused() const;

 private:
  std::shared_ptr<listener_hub> hub_;
  std::shared_ptr<listener_queue> queue_;
};

class listener_thread {
 public:
  /// warn receives one line of text, on a listener thread, never under a lock; it must not block and may post to a listener
  /// of this very object. It is not called any more once stop() or the destructor has returned.
  explicit listener_thread(std::function<void(std::string)> warn,
                           std::chrono::milliseconds slow_after = std::chrono::milliseconds(1000));
  /// Without a stop() before it: what is queued still runs, then the threads end by themselves. Waits for no task.
  ~listener_thread();
  listener_thread(const listener_thread &) = delete;
  listener_thread &operator=(const listener_thread &) = delete;

  /// A new listener; `name` is for warnings.
  std::shared_ptr<listener> add(std::string name);
  /// True on a listener thread of any runtime, where blocking calls are refused.
  static bool is_here() noexcept;
  /// Runs what is queued, and what that queues, until the time-out; then refuses new tasks, destroys the rest, joins the
  /// threads, and abandons those that are still inside a call: they touch only what they own a share of, and end with that
  /// call. Returns within about the time-out. On a listener thread of its own it does not wait: as the destructor.
  void stop(std::chrono::milliseconds timeout);

 private:
  std::shared_ptr<listener_hub> hub_;
};

}  // namespace corbel::detail
