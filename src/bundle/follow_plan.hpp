#pragma once
/// Owns: the decision when a bundle is looked after next. Pure: no clock, no I/O; time and randomness come in. Callers: the
/// loader, one for each bundle. Thread: its loop's.
///
/// While all goes well, every `interval`, up to a tenth earlier or later, so that many processes do not ask at once. After a
/// failure, after `first`, doubling up to `most`, and never sooner than the schedule where there is one; without a schedule
/// a failure is tried again all the same, until there is something to serve. A new configuration forgets all failures.

#include <algorithm>
#include <chrono>
#include <optional>

namespace corbel::detail {

class follow_plan {
 public:
  using duration = std::chrono::milliseconds;
  struct settings {
    duration interval{0};  ///< 0: not followed
    duration first{5'000}, most{300'000};
  };

  /// A new configuration.
  void configure(settings s) noexcept {
    settings_ = s;
    failures_ = 0;
  }
  /// How long until the next look after one that went well; nothing: none is due. random: uniform in [0, 1).
  std::optional<duration> succeeded(double random) noexcept {
    failures_ = 0;
    if (settings_.interval <= duration(0)) return {};
    return spread(settings_.interval, random);
  }
  /// The same after one that was called off: it went neither well nor badly.
  std::optional<duration> called_off(double random) const noexcept {
    if (settings_.interval <= duration(0)) return {};
    return spread(settings_.interval, random);
  }
  /// The same after one that failed. retry: it may work later; absent: nothing is served meanwhile.
  std::optional<duration> failed(bool retry, bool absent, double random) noexcept {
    failures_ = std::min(failures_ + 1, 40u);
    if (settings_.interval <= duration(0) && !(retry && absent)) return {};
    auto wait = settings_.first;
    for (unsigned i = 1; i < failures_ && wait < settings_.most; ++i) wait *= 2;
    wait = std::min(wait, settings_.most);
    return spread(std::max(wait, settings_.interval), random);
  }
  unsigned failures() const noexcept { return failures_; }

 private:
  static duration spread(duration d, double random) noexcept {
    const auto tenth = static_cast<double>(d.count()) / 10;
    return std::max(duration(1), d + duration(static_cast<duration::rep>(tenth * (2 * random - 1))));
  }
  settings settings_;
  unsigned failures_ = 0;
};

}  // namespace corbel::detail
