#pragma once
/// Owns: what a pool counts. Callers: its loop writes, any thread reads.

#include "base/single_writer_counter.hpp"

#include <atomic>
#include <cstdint>

namespace corbel::detail {

struct redis_counters {
  single_writer_counter sent, answered, given_up;  // given_up: sent, and ended without an answer
  single_writer_counter lost, timeouts, reconnects, connecting, pipelines_up, subscriptions_up;
  std::atomic<std::uint64_t> refused{0}, waits{0}, waited_ms{0};
};

}  // namespace corbel::detail
