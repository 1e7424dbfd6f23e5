#pragma once
/// Owns: how many lines of somebody else's go into our log: so many in a span, then they are counted and left out. Pure.
/// Callers: whoever passes on what a program writes. Thread: one at a time.

#include <chrono>
#include <cstdint>
#include <utility>

namespace corbel::detail {

class log_quota {
 public:
  using clock = std::chrono::steady_clock;
  static constexpr unsigned most = 200;
  static constexpr std::chrono::seconds span{10};

  /// Whether this line may go in. left_out: lines before it that did not, since the last that did.
  bool may(clock::time_point now, std::uint64_t &left_out) noexcept {
    if (now - began_ >= span) {
      began_ = now;
      count_ = 0;
    }
    left_out = 0;
    if (count_ >= most) {
      ++left_out_;
      return false;
    }
    ++count_;
    left_out = std::exchange(left_out_, 0);
    return true;
  }

 private:
  clock::time_point began_{};
  unsigned count_ = 0;
  std::uint64_t left_out_ = 0;
};

}  // namespace corbel::detail
