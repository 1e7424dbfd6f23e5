#pragma once
/// Owns: when a message is tried again. Pure: chance is given in. Callers: consumer_core. Thread: any.

#include <corbel/queue.hpp>

#include <algorithm>
#include <cmath>
#include <string>

namespace corbel::detail {

/// The back-off after that attempt (from 1): first, twice that, ... at most `most`; of it a part between one half (chance 0)
/// and the whole (chance 1).
inline std::chrono::milliseconds backoff_after(std::uint32_t attempt, const queue_backoff &b, double chance) noexcept {
  const double whole = std::ldexp(static_cast<double>(b.first.count()), static_cast<int>(std::min(attempt, 64u)) - 1);
  const double capped = std::min(whole, static_cast<double>(b.most.count()));
  return std::chrono::milliseconds(std::max<std::int64_t>(1, std::llround(capped * (0.5 + chance / 2))));
}

/// settle_entry::due of a retry.
inline std::string due_of(const settle_request &how, std::uint32_t attempt, const queue_backoff &b, double chance) {
  if (how.not_before != std::chrono::system_clock::time_point())
    return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(how.not_before.time_since_epoch()).count());
  const auto delay = how.delay ? *how.delay : backoff_after(attempt, b, chance);
  return delay <= delay.zero() ? std::string() : "+" + std::to_string(delay.count());
}

}  // namespace corbel::detail
