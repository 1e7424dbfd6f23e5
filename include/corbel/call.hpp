#pragma once
/// What every asynchronous call takes beside its input: a deadline and whether it may be sent again.

#include <chrono>

namespace corbel {

struct call {
  /// No deadline at all; say so explicitly.
  static constexpr std::chrono::milliseconds unlimited{-1};

  /// Deadline of the whole call, waiting included; 0: the handle's default.
  std::chrono::milliseconds timeout{0};
  /// May be sent once more, within the deadline, after a loss or a time-out.
  bool idempotent = false;
};

}  // namespace corbel
