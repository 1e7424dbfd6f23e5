#pragma once
/// Owns: the limit on connects that one pool has under way. Callers: whoever is about to connect waits for its turn here.
/// Thread: the pool's loop.

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <utility>

namespace corbel::detail {

class connect_gate {
 public:
  explicit connect_gate(std::uint32_t most) noexcept : free_(most) {}

  /// One place; given back when it is destroyed.
  class turn {
   public:
    turn() noexcept = default;
    explicit turn(connect_gate *g) noexcept : gate_(g) {}
    turn(turn &&o) noexcept : gate_(std::exchange(o.gate_, nullptr)) {}
    turn &operator=(turn &&o) noexcept {
      std::swap(gate_, o.gate_);
      return *this;
    }
    ~turn() {
      if (gate_) gate_->leave();
    }

   private:
    connect_gate *gate_ = nullptr;
  };
  using entrant = std::function<void(turn)>;

  /// Calls go now or when a place is free, in order. A waiter whose `alive` is gone is passed over.
  void enter(std::weak_ptr<void> alive, entrant go) {
    if (free_ != 0) {
      --free_;
      return go(turn(this));
    }
    waiting_.push_back({std::move(alive), std::move(go)});
  }

 private:
  struct waiter {
    std::weak_ptr<void> alive;
    entrant go;
  };
  void leave() {
    while (!waiting_.empty()) {
      auto next = std::move(waiting_.front());
      waiting_.pop_front();
      if (next.alive.expired()) continue;
      return next.go(turn(this));
    }
    ++free_;
  }
  std::uint32_t free_;
  std::deque<waiter> waiting_;
};

}  // namespace corbel::detail
