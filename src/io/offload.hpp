#pragma once
/// Owns: the few threads for work that blocks and has no other form. Callers: whoever must not block its loop. Thread:
/// run() any; the work runs on a thread of its own, `done` on the loop.
///
/// A job past its deadline cannot be interrupted: `done` says so, and its thread is left to end by itself. Threads start
/// when there is work and end when there is none; the most at once is bounded, jobs beyond wait.

#include "io/loop.hpp"

#include <chrono>
#include <functional>
#include <memory>

namespace corbel::detail {

class offload {
 public:
  /// ran: the work has ended in time. Once.
  using callback = std::function<void(bool ran)>;

  explicit offload(unsigned most = 4);
  ~offload();
  offload(const offload &) = delete;
  offload &operator=(const offload &) = delete;

  void run(const std::shared_ptr<loop> &where, std::chrono::milliseconds deadline, std::function<void()> work,
           callback done);

 private:
  struct shared;
  std::shared_ptr<shared> shared_;
};

}  // namespace corbel::detail
