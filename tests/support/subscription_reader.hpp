#pragma once
/// Reads a subscription without pause, on a thread of its own, and remembers what came and when.

#include "support/until.hpp"

#include <corbel/redis_subscription.hpp>

#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace corbel::test {

struct seen_notice {
  redis_notice::kind type;
  std::uint64_t epoch, dropped;
  std::string channel, pattern, payload;  ///< of messages
  std::chrono::steady_clock::time_point when;
};

class subscription_reader {
 public:
  explicit subscription_reader(redis_subscription sub);
  ~subscription_reader();  ///< destroys the subscription
  subscription_reader(const subscription_reader &) = delete;
  subscription_reader &operator=(const subscription_reader &) = delete;

  redis_subscription &subscription() noexcept { return *sub_; }
  std::vector<seen_notice> seen() const;
  std::vector<std::string> payloads() const;  ///< of the messages, in order
  /// The error that ended the reading; nothing while it goes on.
  std::optional<error> ended() const;

  /// Waits until a notice has come for which the condition holds; nothing at the deadline.
  template <class Condition>
  std::optional<seen_notice> wait_for(Condition c, std::chrono::milliseconds deadline = std::chrono::seconds(30)) const {
    std::optional<seen_notice> found;
    std::size_t at = 0;
    until(deadline, [&] {
      std::lock_guard lock(mutex_);
      for (; at < seen_.size() && !found; ++at) {
        if (c(seen_[at])) found = seen_[at];
      }
      return found.has_value();
    });
    return found;
  }
  std::optional<seen_notice> wait_for_payload(const std::string &payload) const {
    return wait_for([&](const seen_notice &n) { return n.type == redis_notice::kind::message && n.payload == payload; });
  }

 private:
  void run();
  std::optional<redis_subscription> sub_;
  mutable std::mutex mutex_;
  std::vector<seen_notice> seen_;
  std::optional<error> ended_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace corbel::test
