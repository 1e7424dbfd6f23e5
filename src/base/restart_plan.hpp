#pragma once
/// Owns: when a process that ended is started again. Pure: no process, no clock. Callers: the supervisor, the bundle runner.
///
/// The first death after a good while is mended at once; one that keeps dying is started ever more rarely: 100 ms, doubling
/// up to 10 s, until it has lived for 10 s.

#include <algorithm>
#include <chrono>

namespace corbel::detail {

class restart_plan {
 public:
  using clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds first{100}, most{10'000}, good_while{10'000};

  void started(clock::time_point now) noexcept { started_ = now; }

  /// How long to wait before the next start.
  std::chrono::milliseconds died(clock::time_point now) noexcept {
    if (now - started_ >= good_while) next_ = std::chrono::milliseconds(0);
    const auto wait = next_;
    next_ = std::min(most, std::max(first, next_ * 2));
    return wait;
  }

 private:
  clock::time_point started_{};
  std::chrono::milliseconds next_{0};
};

}  // namespace corbel::detail
