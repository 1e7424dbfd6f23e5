#pragma once
/// Owns: the thread that runs one wake callback. Callers: event_queue. Thread: signal, stop any. The callback runs once per
/// signal at the most, never after stop has been seen; what it captured is freed on the wake thread, after its last call.

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>

namespace corbel::detail {

class wake_thread {
 public:
  static std::shared_ptr<wake_thread> start(std::function<void()> fn);
  void signal() noexcept;
  /// Never blocks: the thread ends by itself.
  void stop() noexcept;
  /// True on any wake thread.
  static bool is_here() noexcept;

 private:
  void run();
  std::mutex mutex_;
  std::condition_variable changed_;
  std::function<void()> fn_;
  bool pending_ = false, stopped_ = false;
};

}  // namespace corbel::detail
