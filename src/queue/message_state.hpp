#pragma once
/// Owns: one leased message, and how far its settling is. Callers: message (the caller's thread), consumer_core (the I/O
/// thread). Everything but `phase`, `taken_away` and `asked` stays as it was made.

#include "queue/protocol.hpp"

#include <atomic>
#include <memory>

namespace corbel::detail {

class consumer_core;

struct message_state {
  message_state(std::shared_ptr<consumer_core> c, claimed_ptr m) : core(std::move(c)), claimed(std::move(m)) {}

  enum class stage : int {
    held,      ///< with the caller, or waiting for one
    settling,  ///< a settlement is under way
    failed,    ///< the settlement ended with an error: another may be begun
    settled,   ///< ended, or the lease had been lost
  };

  /// False when a settlement is under way or was the last one.
  bool begin_settling() noexcept {
    auto was = stage::held;
    if (phase.compare_exchange_strong(was, stage::settling)) return true;
    return was == stage::failed && phase.compare_exchange_strong(was, stage::settling);
  }
  bool is_settled_by_caller() const noexcept {
    return asked && phase.load() != stage::failed && phase.load() != stage::held;
  }
  /// True once, where the library handed the message back before its caller settled it: to him it is lost.
  bool overtaken() noexcept {
    const auto now = phase.load();
    return taken_away && (now == stage::settling || now == stage::settled) && !asked.exchange(true);
  }

  struct watcher {
    std::uint64_t ticket;
    operation_ptr<bool> op;
  };

  const std::shared_ptr<consumer_core> core;
  const claimed_ptr claimed;
  std::atomic<stage> phase{stage::held};
  std::atomic<bool> taken_away{false};  ///< the lease was lost
  std::atomic<bool> asked{false};       ///< the caller has settled or destroyed it

  // I/O thread only.
  settle last = settle::hand_back;                                                 // what the last settlement was to do
  bool dropped = false;                                                            // the caller destroyed the message
  std::chrono::steady_clock::time_point since = std::chrono::steady_clock::now();  // delivered
  std::vector<watcher> watchers;                                                   // wait to hear that the lease was lost
};

using message_ptr = std::shared_ptr<message_state>;

}  // namespace corbel::detail
