#pragma once
/// Owns: whether a part that says it is well again is believed. Pure: no clock.
///
/// Worse is shown at once. Better is shown at once too, unless the part changed at least `changes` times within `window`:
/// such a part flaps, and shows the worst that it said meanwhile until it has stayed with one state for `steady`.

#include <corbel/health.hpp>

#include <algorithm>
#include <chrono>
#include <deque>
#include <optional>

namespace corbel::detail {

/// How ill a state is: 0 ok, saturated, degraded, unknown, stale, down.
int illness(health_state s) noexcept;

class flap_damper {
 public:
  using clock = std::chrono::steady_clock;
  static constexpr std::size_t changes = 4;
  static constexpr std::chrono::seconds window{60}, steady{10};

  /// A report came. What was unknown is no change: a start is not a flap.
  void said(health_state state, clock::time_point now) {
    settle(now);
    if (state != state_) {
      if (state_ != health_state::unknown) times_.push_back(now);
      while (!times_.empty() && now - times_.front() > window) times_.pop_front();
      changed_ = now;
      if (!held_ && times_.size() >= changes) held_ = illness(state_) > illness(state) ? state_ : state;
    }
    state_ = state;
    if (held_ && illness(state) > illness(*held_)) held_ = state;
  }

  /// What is shown instead of what was said last; none: that is shown.
  std::optional<health_state> instead(clock::time_point now) const {
    if (!held_ || now - changed_ >= steady || illness(*held_) <= illness(state_)) return {};
    return held_;
  }
  /// When what is shown may change by itself; none: never.
  std::optional<clock::time_point> due(clock::time_point now) const {
    if (!instead(now)) return {};
    return changed_ + steady;
  }
  std::size_t recent_changes() const noexcept { return times_.size(); }

 private:
  void settle(clock::time_point now) {
    if (held_ && now - changed_ >= steady) {
      held_.reset();
      times_.clear();
    }
  }

  health_state state_ = health_state::unknown;
  std::optional<health_state> held_;
  clock::time_point changed_{};
  std::deque<clock::time_point> times_;
};

}  // namespace corbel::detail
