#pragma once
/// Owns: one leased message, and how far its settling is. Callers: message (the caller's thread), consumer_core and
/// settlement (the I/O thread). Everything but `phase` stays as it was made.

#include "queue/queue_scripts.hpp"

#include <atomic>
#include <memory>

namespace corbel::detail {

class consumer_core;

struct message_state {
  message_state(std::shared_ptr<consumer_core> c, claimed_message m)
      : core(std::move(c)), claimed(std::move(m)), body_at(body_of(claimed.element, claimed.id)) {}

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

  const std::shared_ptr<consumer_core> core;
  const claimed_message claimed;
  const std::size_t body_at;
  std::atomic<stage> phase{stage::held};

  // I/O thread only.
  settle last = settle::hand_back;  // what the last settlement was to do
  bool dropped = false;             // the caller destroyed the message
};

using message_ptr = std::shared_ptr<message_state>;

}  // namespace corbel::detail
