#pragma once
/// Owns: what a pool counts. Callers: its loop writes, any thread reads.

#include <atomic>
#include <cstdint>

namespace corbel::detail {

/// Written by one thread, so that adding needs no locked instruction.
class single_writer_counter {
 public:
  void add(std::uint64_t n) noexcept { value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_release); }
  void subtract(std::uint64_t n) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) - n, std::memory_order_release);
  }
  std::uint64_t value() const noexcept { return value_.load(std::memory_order_acquire); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

struct redis_counters {
  single_writer_counter sent, answered, given_up;  // given_up: sent, and ended without an answer
  single_writer_counter lost, timeouts, reconnects, connecting, pipelines_up, subscriptions_up;
  std::atomic<std::uint64_t> refused{0}, waits{0}, waited_ms{0};
};

}  // namespace corbel::detail
