#pragma once
/// Owns: what a pool counts. Callers: its loop writes, any thread reads.

#include "base/single_writer_counter.hpp"

namespace corbel::detail {

struct pg_counters {
  single_writer_counter sent, settled, statements, errors, lost, timeouts, cancels, repeated;
  single_writer_counter connects, connect_failures, reconnects, connecting, listening;
  std::atomic<std::uint64_t> refused{0}, waits{0}, waited_ms{0};
};

}  // namespace corbel::detail
