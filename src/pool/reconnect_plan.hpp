#pragma once
/// Owns: the decision when to try to connect again. Pure: no clock, no socket; time and randomness come in. Callers: each
/// connection that reconnects has one. Thread: its owner's.
///
/// The first try after a loss is at once. Then a random time up to a cap: 80 ms during the first 2 s of an outage,
/// afterwards doubling to 5 s. An outage ends with a connection; how far the cap had grown is forgotten after 5 s of health.
/// Connections that die within 100 ms of their handshake do not count as health: the eighth in a row begins the doubling.

#include <chrono>
#include <cstdint>

namespace corbel::detail {

class reconnect_plan {
 public:
  using clock = std::chrono::steady_clock;
  using time = clock::time_point;
  using duration = std::chrono::milliseconds;

  static constexpr duration first_cap{80}, steady_after{2000}, last_cap{5000}, healthy_after{5000}, stable_after{100};
  static constexpr unsigned most_short_lives = 8;

  /// How long to wait before the next try. random: uniform in [0, 1).
  duration next_delay(time now, double random) noexcept {
    if (!in_outage_) {
      in_outage_ = true;
      outage_began_ = now;
      tried_ = false;
    }
    if (!tried_ && cap_ == first_cap && short_lives_ == 0) {
      tried_ = true;
      return duration(0);
    }
    tried_ = true;
    if (cap_ > first_cap || now - outage_began_ >= steady_after || short_lives_ >= most_short_lives) cap_ = grown(cap_);
    return duration(static_cast<duration::rep>(static_cast<double>(cap_.count()) * random));
  }
  /// A handshake succeeded.
  void connected(time now) noexcept {
    in_outage_ = false;
    connected_at_ = now;
    is_connected_ = true;
  }
  /// An established connection was lost.
  void lost(time now) noexcept {
    if (!is_connected_) return;
    is_connected_ = false;
    const auto life = now - connected_at_;
    short_lives_ = life < stable_after ? short_lives_ + 1 : 0;
    if (life >= healthy_after) cap_ = first_cap;
  }
  /// The cap of the present back-off.
  duration cap() const noexcept { return cap_; }

 private:
  static duration grown(duration cap) noexcept { return cap * 2 > last_cap ? last_cap : cap * 2; }
  duration cap_ = first_cap;
  time outage_began_{}, connected_at_{};
  unsigned short_lives_ = 0;
  bool in_outage_ = false, tried_ = false, is_connected_ = false;
};

}  // namespace corbel::detail
