#pragma once
/// Durations, counted in 24 fixed buckets from 100 us to 60 s (1, 2, 3, 5 of each power of ten) and one above.
/// Threads: any, at once, without a lock.

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace corbel::detail {

class latency_histogram {
 public:
  static constexpr std::size_t bounds = 24;
  /// Upper bounds of the buckets, inclusive; what is longer than the last counts in one more.
  static const std::array<std::chrono::nanoseconds, bounds> upper;

  /// Counts of one moment. Durations recorded meanwhile may be in the counts and not yet in the sum.
  struct snapshot {
    std::array<std::uint64_t, bounds + 1> counts{};
    std::chrono::nanoseconds sum{0};
  };

  /// Counts one duration; a negative one as 0. Two relaxed additions.
  void record(std::chrono::nanoseconds d) noexcept;
  snapshot read() const noexcept;

 private:
  std::array<std::atomic<std::uint64_t>, bounds + 1> counts_{};
  std::atomic<std::int64_t> sum_{0};
};

}  // namespace corbel::detail
