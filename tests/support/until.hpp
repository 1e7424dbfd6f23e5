#pragma once
/// Waiting for a condition instead of sleeping.

#include <chrono>
#include <thread>

namespace corbel::test {

/// Asks each millisecond until the condition holds or the deadline passes; asks at least once. True when it held.
template <class Condition>
bool until(std::chrono::steady_clock::duration deadline, Condition condition) {
  auto end = std::chrono::steady_clock::now() + deadline;
  for (;;) {
    if (condition()) return true;
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace corbel::test
