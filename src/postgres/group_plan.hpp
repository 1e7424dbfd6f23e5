#pragma once
/// Owns: whether statements that may share a sync go in larger groups over fewer connections. Pure: time comes in.
/// Callers: share_plan. Thread: the pool's loop.
///
/// A few server processes answer quick statements faster than one thread sends them; more of them then only cost the server
/// its switches between processes. Slow statements want every process. Which is the case cannot be told while all
/// connections are busy, because each statement then waits for a processor too. So fewer are tried for a moment, and kept
/// where that halves the time of a statement on its connection, which is what half the connections have to make up for. A
/// try that did not help is repeated ever more rarely.

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace corbel::detail {

class group_plan {
 public:
  using duration = std::chrono::steady_clock::duration;
  /// So many connections take all groups, until each has so many statements.
  static constexpr std::uint32_t few = 4, large = 16;
  /// Groups of one measurement, after those that began before it.
  static constexpr std::uint32_t skipped = 64, window = 256;
  /// Measurements from one try to the next.
  static constexpr std::uint32_t shortest_rest = 16, longest_rest = 4096;

  bool few_connections() const noexcept { return few_; }

  /// A group was answered: so many statements, so long after their connection turned to them.
  void answered(std::uint32_t statements, duration took) noexcept {
    if (++groups_ <= skipped) return;
    statements_ += statements;
    took_ += took;
    if (groups_ < skipped + window) return;
    const auto each = took_ / statements_;
    groups_ = statements_ = 0;
    took_ = {};
    few_ ? measured_few(each) : measured_all(each);
  }

 private:
  void measured_all(duration each) noexcept {
    with_all_ = each;
    if (left_ != 0) --left_;
    few_ = left_ == 0;
  }
  void measured_few(duration each) noexcept {
    if (2 * each <= with_all_) {
      rest_ = shortest_rest;
      return;
    }
    few_ = false;
    left_ = rest_;
    rest_ = std::min(rest_ * 4, longest_rest);
  }

  bool few_ = false;
  std::uint32_t groups_ = 0, statements_ = 0, left_ = 1, rest_ = shortest_rest;
  duration took_{}, with_all_{};
};

}  // namespace corbel::detail
