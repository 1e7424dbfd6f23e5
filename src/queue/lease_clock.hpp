#pragma once
/// Owns: the decision when the leases of a consumer are renewed. Pure: time is given in. Callers: lease_keeper.
/// Thread: one at a time.
///
/// All leases are renewed together, at a third of the lease time, so that two renewals may fail before one ends. After a
/// failure the next try comes sooner; a reconnect asks for one at once.

#include <algorithm>
#include <chrono>
#include <optional>

namespace corbel::detail {

class lease_clock {
 public:
  using clock = std::chrono::steady_clock;

  explicit lease_clock(std::chrono::milliseconds lease) noexcept : lease_(lease) {}

  std::chrono::milliseconds period() const noexcept { return lease_ / 3; }
  std::chrono::milliseconds retry() const noexcept {
    return std::clamp(lease_ / 10, std::chrono::milliseconds(20), std::chrono::milliseconds(1000));
  }

  /// The first lease came; it began at `now` at the latest.
  void began(clock::time_point now) noexcept { due_ = now + period(); }
  /// No lease is held.
  bool idle() const noexcept { return !due_; }
  /// No lease is left.
  void ended() noexcept { due_.reset(); }
  void renewal_started(clock::time_point now) noexcept {
    started_ = now;
    under_way_ = true;
  }
  void renewal_done(bool well, clock::time_point now) noexcept {
    under_way_ = false;
    if (due_) due_ = well ? started_ + period() : now + retry();
    if (due_ && reconnected_) due_ = now;
    reconnected_ = false;
  }
  /// The server may have been away for long: leases may have ended by its clock, and a reaper may be about to run.
  void reconnected(clock::time_point now) noexcept {
    if (under_way_)
      reconnected_ = true;
    else if (due_)
      due_ = now;
  }

  /// When the next renewal is to start; nothing while one is under way or no lease is held.
  std::optional<clock::time_point> due() const noexcept { return under_way_ ? std::nullopt : due_; }

 private:
  std::chrono::milliseconds lease_;
  std::optional<clock::time_point> due_;
  clock::time_point started_{};
  bool under_way_ = false, reconnected_ = false;
};

}  // namespace corbel::detail
