#pragma once
/// Owns: what one producer or consumer counts of its queue. Callers: producer_core and consumer_core write on their pool's
/// I/O thread; any thread reads. queue_metrics shows it.

#include "base/single_writer_counter.hpp"
#include "metrics/latency_histogram.hpp"

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace corbel::detail {

struct queue_counters {
  // producer, in messages
  single_writer_counter put, repeated;

  // consumer, in messages. done, retried, buried, handed_back: settled so, and the lease was still held.
  single_writer_counter claimed, done, retried, buried, handed_back;
  single_writer_counter lost;          ///< leases that were lost
  single_writer_counter brought_back;  ///< by this process's reaper: what others had held
  single_writer_counter interrupted;   ///< found by this process's reaper, and not to be run again
  latency_histogram wait;              ///< from put, by the server's clock, to claim, by ours
  latency_histogram run;               ///< from the handler's getting a message to its settlement

  // consumer, at this moment
  std::atomic<std::uint32_t> in_hand{0};   ///< with handlers
  std::atomic<std::uint32_t> buffered{0};  ///< claimed ahead
  std::atomic<std::uint32_t> capacity{0};  ///< handlers at once

  /// Messages that admission refused. The reasons are few, and the platform's.
  void refused(std::string_view reason, std::uint64_t messages = 1) {
    std::lock_guard lock(mutex_);
    auto at = refused_.find(reason);
    if (at == refused_.end()) at = refused_.emplace(reason, 0).first;
    at->second += messages;
  }
  std::map<std::string, std::uint64_t, std::less<>> refusals() const {
    std::lock_guard lock(mutex_);
    return refused_;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::uint64_t, std::less<>> refused_;
};

}  // namespace corbel::detail
