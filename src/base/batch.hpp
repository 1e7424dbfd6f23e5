#pragma once
/// Owns: what is put off to the end of the present I/O batch. While a scope lives on a thread, work that gains from being
/// done once (one write for many commands, one wake-up for many events) enlists and is run when the outermost scope ends.
/// Callers: the I/O threads' handlers open scopes; connections and event queues enlist. Thread: the one of the scope.

#include <array>
#include <cstddef>
#include <utility>
#include <vector>

namespace corbel::detail {

class batch_scope {
 public:
  /// Something to run at the end. It must stay alive until run; it may enlist again while it runs.
  class task {
   public:
    virtual void end_of_batch() noexcept = 0;

   protected:
    ~task() = default;
  };
  /// Writes to sockets go before wake-ups of other threads.
  enum phase : std::size_t { write, wake };

  batch_scope() noexcept : outer_(current()) {
    if (!outer_) current() = this;
  }
  ~batch_scope() {
    if (outer_) return;
    while (run(write) || run(wake)) {
    }
    current() = nullptr;
  }
  batch_scope(const batch_scope &) = delete;
  batch_scope &operator=(const batch_scope &) = delete;

  /// False when no scope is open on this thread.
  static bool at_end(phase p, task &t) {
    if (!current()) return false;
    current()->tasks_[p].push_back(&t);
    return true;
  }
  static bool active() noexcept { return current() != nullptr; }
  /// What is enlisted to be written leaves now: for whoever has sent much work, which the other side can begin with.
  static void write_now() noexcept {
    if (current()) current()->run(write);
  }

 private:
  static batch_scope *&current() noexcept {
    [[gnu::tls_model("initial-exec")]] static thread_local batch_scope *scope = nullptr;
    return scope;
  }
  bool run(phase p) noexcept {
    if (tasks_[p].empty()) return false;
    auto now = std::exchange(tasks_[p], {});
    for (auto *t : now) t->end_of_batch();
    return true;
  }

  batch_scope *outer_;
  std::array<std::vector<task *>, 2> tasks_;
};

}  // namespace corbel::detail
