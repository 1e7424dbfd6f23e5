#pragma once
/// Owns: what time it is on the server, from what its last answer told. Pure: the caller says what its own steady clock
/// shows. Callers: producer_core. Thread: one at a time.
///
/// Never ahead of the server's clock, behind it by less than a round trip; after a jump of the server's clock wrong for a
/// second at most, for then the server has to tell again.

#include <chrono>
#include <cstdint>
#include <optional>

namespace corbel::detail {

class server_clock {
 public:
  using clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds fresh{1};

  /// ms: of the server's clock, before `at`.
  void told(std::int64_t ms, clock::time_point at) noexcept {
    ms_ = ms;
    at_ = at;
  }
  /// In ms; none where the server has to tell it again.
  std::optional<std::int64_t> now(clock::time_point at) const noexcept {
    if (ms_ == 0 || at - at_ >= fresh) return std::nullopt;
    return ms_ + std::chrono::duration_cast<std::chrono::milliseconds>(at - at_).count();
  }

 private:
  std::int64_t ms_ = 0;
  clock::time_point at_;
};

}  // namespace corbel::detail
