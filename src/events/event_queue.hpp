#pragma once
/// Owns: completion events and notices of one corbel_events, its eventfd, its wake thread. Callers: the C API, and whatever
/// completes a call of it. Thread: any. Completions are never dropped (bounded by the calls that were started); notices live
/// in bounded sources of their own, which the queue asks when the reader comes. The eventfd is made when it is first asked
/// for, is written on empty -> not empty and read back when the queue is emptied, under the same lock.

#include "base/batch.hpp"
#include "base/fork_guard.hpp"

#include <corbel/c/events.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace corbel::detail {

class wake_thread;

class event_queue : public std::enable_shared_from_this<event_queue> {
 public:
  /// Frees what an event owns.
  using clear_function = void (*)(corbel_event &) noexcept;

  /// Bounded notices of one handle. next() is called under the queue's lock and must be quick.
  class source {
   public:
    virtual ~source() = default;
    /// Moves the oldest notice out; false when there is none.
    virtual bool next(corbel_event &out) noexcept = 0;

   private:
    friend class event_queue;
    bool listed_ = false;
  };

  /// What a call leaves behind. Whoever takes events frees it, for as a rule that thread made it: memory that one thread
  /// allocates and another frees makes both wait for the allocator.
  struct remnant {
    virtual ~remnant() = default;
    remnant *after = nullptr;
  };

  explicit event_queue(clear_function clear) noexcept : clear_(clear) {}
  ~event_queue();

  /// Adds a completion; within a batch scope it is handed over at the scope's end.
  static void complete(std::shared_ptr<event_queue> queue, const corbel_event &ev, std::unique_ptr<remnant> r = {});
  /// Says that the source may have a notice now. Calls change under the queue's lock first, when given.
  void notify(const std::shared_ptr<source> &s, const std::function<void()> &change = {});
  /// No more waiting: take returns what is there and then 0 at once.
  void shut() noexcept;
  /// The reader is gone: what is in the queue and what still comes is freed unseen.
  void discard() noexcept;

  int descriptor();
  std::size_t take(corbel_event *out, std::size_t count, std::size_t each, std::int64_t timeout_ms);
  void interrupt() noexcept;
  void on_wake(std::function<void()> fn);
  bool forked() const noexcept { return stamp_.forked(); }

 private:
  friend class staged_events;
  /// The chain of remnants ends with `last`; both may be null.
  void append(corbel_event *first, std::size_t count, remnant *chain, remnant *last);
  bool empty() const noexcept { return completions_.empty() && sources_.empty(); }
  void became_readable();  // under the lock
  static void free_chain(remnant *chain) noexcept;
  std::size_t move_out(corbel_event *out, std::size_t count, std::size_t each);

  clear_function clear_;
  fork_stamp stamp_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<corbel_event> completions_;
  std::deque<std::shared_ptr<source>> sources_;
  remnant *remnants_ = nullptr;
  std::uint32_t waiting_ = 0;
  int fd_ = -1;
  bool readable_ = false;  // not empty, and whoever has to know was told
  bool interrupted_ = false, shut_ = false, discarded_ = false;
  std::shared_ptr<wake_thread> wake_;
};

}  // namespace corbel::detail
