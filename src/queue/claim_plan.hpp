#pragma once
/// Owns: the decision when a consumer claims messages, and how many. Pure: no socket, clock or thread; inputs are what
/// happened, next() is what to do now. Callers: consumer_core. Thread: one at a time.
///
/// A claim tells how much was left in the ready lists. While that is nothing, the consumer rests until it is woken: by who
/// peeks at the lists, by a reconnect, by messages that became ready here.
///
/// Where messages are worked off fast, so many are claimed ahead as are done in about 2 ms, at most `concurrency` again: so
/// a claim is under way while handlers work, and none of them waits longer than a claim takes. Work that is slow, or stands
/// still, claims nothing ahead.

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace corbel::detail {

class claim_plan {
 public:
  /// Most messages of one claim.
  static constexpr std::uint32_t most_at_once = 128;
  /// ... of one that waits at the server while work is slow: few, for should this process be cut off then, they wait for its
  /// lease to end.
  static constexpr std::uint32_t most_armed = 8;

  using clock = std::chrono::steady_clock;
  /// What is worked off in this time is claimed ahead, where it is so many at least.
  static constexpr std::chrono::microseconds ahead_for{2000};
  static constexpr std::uint32_t least_ahead = 16;

  /// prefetch: claimed ahead whatever the speed; 0 and by_speed: as many as the speed allows.
  claim_plan(std::uint32_t concurrency, std::uint32_t prefetch, bool by_speed = false) noexcept
      : concurrency_(concurrency), prefetch_(prefetch), by_speed_(by_speed && prefetch == 0) {}

  /// Another concurrency, from now on: more is delivered and claimed at once; with less, what is out comes to its end, and
  /// what was claimed and has no place any more goes back.
  void set_concurrency(std::uint32_t concurrency) noexcept {
    concurrency_ = concurrency;
    ahead_ = std::min(ahead_, concurrency);
  }
  void taker_came() noexcept { ++waiting_; }
  void taker_left() noexcept { --waiting_; }
  /// A delivered message is not out any more.
  void settled() noexcept {
    --out_;
    ++worked_;
  }
  /// Now and then, while messages are worked: how fast that goes is measured from one call to the next.
  void measure(clock::time_point now) noexcept {
    const auto time = std::chrono::duration_cast<std::chrono::microseconds>(now - measured_);
    if (!by_speed_ || time < ahead_for) return;
    const auto in_time = static_cast<std::uint64_t>(worked_) * static_cast<std::uint64_t>(ahead_for.count()) /
                         static_cast<std::uint64_t>(time.count());
    const auto fast = in_time < least_ahead ? 0 : static_cast<std::uint32_t>(std::min<std::uint64_t>(in_time, concurrency_));
    ahead_ = std::max(fast, std::min(ahead_, buffered_));  // what is there already stays, as long as it is delivered
    worked_ = 0;
    measured_ = now;
  }
  /// Nothing was delivered for longer than what was claimed ahead was to wait: it goes back.
  void stalled() noexcept { ahead_ = 0; }
  /// Claimed ahead by the speed, and not delivered yet.
  bool has_ahead() const noexcept { return ahead_ > 0 && buffered_ > 0; }
  /// The ready list is not empty, or was not a moment ago.
  void woken() noexcept {
    maybe_more_ = true;
    woken_meanwhile_ = true;
  }
  /// The server is there again; what it told meanwhile was missed.
  void reconnected() noexcept {
    woken();
    held_off_ = false;
    failures_ = 0;
  }
  /// The time of a rest has passed.
  void rested() noexcept {
    maybe_more_ = true;
    held_off_ = false;
  }
  /// A claim is to be sent ahead, to run when something is ready: so many at most, which counts as under way; 0: none. Where
  /// work is fast, others will wait too by then, and what comes together is claimed together.
  std::uint32_t arm() noexcept {
    if (stopped_ || claiming_ != 0 || held_off_ || buffered_ > 0) return 0;
    claiming_ = std::min(waiting_, room());
    if (claiming_ != 0)
      claiming_ = ahead_ > 0 ? std::min({claiming_ + ahead_, concurrency_, most_at_once}) : std::min(claiming_, most_armed);
    armed_ = claiming_ != 0;
    woken_meanwhile_ = false;
    return claiming_;
  }
  /// What was sent ahead is not wanted any more: nobody waits, or nothing more may be out.
  bool is_armed_for_nobody() const noexcept { return armed_ && (waiting_ == 0 || room() == 0 || stopped_); }
  /// full: something is left that may not be claimed now.
  void claim_answered(std::uint32_t got, std::uint64_t left, bool full) noexcept {
    claiming_ = 0;
    armed_ = false;
    buffered_ += got;
    failures_ = 0;
    full_ = full && got == 0;
    maybe_more_ = left > 0 || woken_meanwhile_;
    held_off_ = full_;
  }
  /// at_once: the server is there again, so another try may follow now. Only the first in a row is believed.
  void claim_failed(bool at_once) noexcept {
    claiming_ = 0;
    armed_ = false;
    maybe_more_ = true;
    full_ = false;
    held_off_ = !at_once || failures_ > 0;
    ++failures_;
  }
  /// A claimed message that was not delivered was taken away.
  void buffered_lost() noexcept { --buffered_; }
  /// From now on nothing is claimed or delivered, and all that was not delivered goes back.
  void stop() noexcept { stopped_ = true; }

  /// How long to rest before the next claim, where nothing else comes before.
  enum class rest {
    none,        ///< a claim is under way, or nothing is wanted
    till_woken,  ///< the lists are empty
    a_moment,    ///< what is ready may not be claimed yet
    a_while,     ///< the last claim failed
  };
  struct actions {
    std::uint32_t deliver = 0;    ///< so many of the oldest claimed messages go to the oldest takers
    std::uint32_t hand_back = 0;  ///< so many of the newest claimed messages go back
    std::uint32_t claim = 0;      ///< begin a claim of so many at most
    rest then = rest::none;
  };
  /// What to do now; it counts as done. Call it after every input.
  actions next() noexcept {
    actions a;
    if (!stopped_) {
      a.deliver = std::min({waiting_, buffered_, room()});
      waiting_ -= a.deliver;
      buffered_ -= a.deliver;
      out_ += a.deliver;
    }
    // A claimed message that nobody waits for any more would be kept from other consumers for ever. After a stop all go
    // back together, in their order, so the claim under way is waited for.
    const std::uint32_t ahead = std::max(prefetch_, ahead_);
    const std::uint32_t kept = !stopped_ ? ahead : claiming_ != 0 ? buffered_ : 0;
    a.hand_back = buffered_ - std::min(buffered_, kept);
    buffered_ -= a.hand_back;
    if (stopped_ || claiming_ != 0) return a;
    const std::uint32_t wanted = std::min(waiting_, room()) + ahead - buffered_;
    // Ahead it is claimed by the full number, once all that was claimed before is out: what is claimed together is then
    // mostly settled together, which costs the server the least.
    const bool early = ahead_ > 0 && buffered_ > 0;
    if (wanted > 0 && !early && maybe_more_ && !held_off_) {
      a.claim = claiming_ = std::min({wanted, most_at_once, ahead_ > 0 ? concurrency_ : wanted});
      woken_meanwhile_ = false;
    }
    if (waiting_ > 0 && room() > 0 && claiming_ == 0)
      a.then = !held_off_ ? rest::till_woken : full_ ? rest::a_moment : rest::a_while;
    return a;
  }

  std::uint32_t concurrency() const noexcept { return concurrency_; }
  std::uint32_t waiting() const noexcept { return waiting_; }
  std::uint32_t buffered() const noexcept { return buffered_; }
  std::uint32_t out() const noexcept { return out_; }
  bool claiming() const noexcept { return claiming_ != 0; }
  bool stopped() const noexcept { return stopped_; }

 private:
  /// So many more may be out.
  std::uint32_t room() const noexcept { return concurrency_ - std::min(concurrency_, out_); }

  std::uint32_t concurrency_;
  const std::uint32_t prefetch_;
  const bool by_speed_;
  std::uint32_t waiting_ = 0;     // takers without a message
  std::uint32_t buffered_ = 0;    // claimed, not delivered
  std::uint32_t out_ = 0;         // delivered, not settled
  std::uint32_t claiming_ = 0;    // asked for by the claim under way
  std::uint32_t failures_ = 0;    // of claims, in a row
  std::uint32_t ahead_ = 0;       // claimed ahead by the speed
  std::uint32_t worked_ = 0;      // since the speed was measured
  clock::time_point measured_{};  // ... the last time
  bool maybe_more_ = true;        // the ready list is not known to be empty
  bool woken_meanwhile_ = false;  // since the claim under way began
  bool held_off_ = false;         // the last claim failed: not before a poll or a reconnect
  bool full_ = false;             // ... it got nothing although something is ready
  bool armed_ = false;            // the claim under way waits at the server until something is ready
  bool stopped_ = false;
};

}  // namespace corbel::detail
