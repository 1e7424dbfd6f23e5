#pragma once
/// Owns: whether a read is worth polling for. To sleep until an answer arrives, and to be woken, costs more time and more
/// processor time than a near server takes to answer one command; a far one is never worth the wait. So polling goes on
/// while it succeeds, and is tried ever more rarely when it does not. Callers: redis_connection, pg_connection. Pure: no
/// socket, no clock.

#include <algorithm>
#include <cstdint>

namespace corbel::detail {

class busy_poll {
 public:
  /// With more unanswered than these, a thread does not go to sleep between answers anyway.
  static constexpr std::size_t most_unanswered = 4;
  static constexpr std::uint32_t most_skipped = 4096;

  /// So many answers that were polled for are taken in a row; then others on the thread get their turn.
  static constexpr unsigned in_a_row = 16;

  /// Asked once for every read that would wait.
  bool worth_it(std::size_t unanswered) noexcept {
    if (unanswered == 0 || unanswered > most_unanswered) return false;
    if (skip_ == 0) return true;
    --skip_;
    return false;
  }
  void succeeded() noexcept { penalty_ /= 2; }
  void failed() noexcept {
    penalty_ = std::min(penalty_ * 2 + 1, most_skipped);
    skip_ = penalty_;
  }

 private:
  std::uint32_t penalty_ = 0, skip_ = 0;
};

}  // namespace corbel::detail
