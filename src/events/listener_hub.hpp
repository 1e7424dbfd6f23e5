#pragma once
/// Owns: the queues of a listener_thread's listeners and the threads that work them. See listener_thread.hpp.
/// Called by: listener and listener_thread only, and by the threads started here, each of which owns a share of the hub.
///
/// At most two threads are common to all listeners: one runs a call, the other watches it while something is queued, and
/// goes on in its place when the call is slow; the first then belongs to the slow listener. One lock guards everything;
/// tasks run, end and are destroyed outside it.

#include "base/fork_guard.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace corbel::detail {

/// What belongs to one listener. All members are guarded by the hub's lock, but name, which never changes.
struct listener_queue {
  struct entry {
    std::function<void()> task;
    bool latest;
  };
  explicit listener_queue(std::string n) : name(std::move(n)) {}

  const std::string name;
  std::deque<entry> tasks;
  entry *latest = nullptr;  ///< the one in tasks that post_latest replaces
  bool closed = false;      ///< takes no task any more
  bool running = false;     ///< a task runs now
  bool own = false;         ///< has a thread of its own, which sleeps on `wake`
  std::uint64_t refused = 0;
  std::uint64_t unreported = 0;  ///< times it threw since the last report
  std::chrono::steady_clock::time_point reported{};
  std::condition_variable wake;
};

class listener_hub : public std::enable_shared_from_this<listener_hub> {
 public:
  using clock = std::chrono::steady_clock;
  using queue_ptr = std::shared_ptr<listener_queue>;

  listener_hub(std::function<void(std::string)> warn, clock::duration slow_after);

  bool post(const queue_ptr &q, std::function<void()> task, bool latest);
  /// drop: what is queued is destroyed, else it still runs.
  void close(const queue_ptr &q, bool drop);
  std::uint64_t refused(const queue_ptr &q) const;

  /// See listener_thread::stop and its destructor.
  void stop(clock::duration timeout);
  void end_when_idle();

  /// True in a child of the process that made it: its threads do not exist there and its lock may be held for ever.
  bool forked() const noexcept { return stamp_.forked(); }
  static bool is_here() noexcept;
  /// True on a thread of this hub.
  bool is_mine() const noexcept;
  /// True inside a call of this hub's warn.
  bool warns_here() const noexcept;

 private:
  /// open, then either draining (stop waits; tasks are still taken) and ended, or leaving (none is taken, threads end by
  /// themselves when nothing is left).
  enum class phase { open, draining, leaving, ended };
  /// One thread. queue is set while it runs a call, and for good once it belongs to that listener.
  struct worker {
    std::thread handle;
    std::shared_ptr<listener_queue> queue;
    clock::time_point started{};
    bool in_call = false;
    bool own = false;
  };

  void run(worker &self);
  bool next(worker &self, std::unique_lock<std::mutex> &lock);
  void call(worker &self, std::unique_lock<std::mutex> &lock);
  void leave(worker &self);
  void give_thread(worker &slow, std::unique_lock<std::mutex> &lock);
  void report(listener_queue &q, const std::string &what, std::unique_lock<std::mutex> &lock);
  void warn(std::string text, std::unique_lock<std::mutex> &lock) noexcept;
  void need_worker();
  void start_worker();
  std::deque<listener_queue::entry> take_tasks(listener_queue &q);
  bool quiet() const noexcept { return pending_ == 0 && calls_ == 0; }

  const fork_stamp stamp_;
  const std::function<void(std::string)> warn_;
  const clock::duration slow_after_;
  mutable std::mutex mutex_;
  std::condition_variable work_;   ///< common threads sleep here
  std::condition_variable quiet_;  ///< stop and end_when_idle wait here
  phase phase_ = phase::open;
  std::deque<queue_ptr> ready_;  ///< those that have a task, run none, and have no thread of their own
  std::list<std::shared_ptr<worker>> workers_;
  worker *active_ = nullptr;        ///< the common thread that runs a call
  bool watching_ = false;           ///< the other common thread is awake, or wakes by itself when that call is slow
  std::size_t common_ = 0;          ///< threads that belong to no listener: at most two
  std::size_t common_pending_ = 0;  ///< tasks that wait for one of those
  std::size_t pending_ = 0;         ///< all tasks that have not begun
  std::size_t calls_ = 0;           ///< tasks that run
  std::size_t warning_ = 0;         ///< threads inside warn
};

}  // namespace corbel::detail
