#pragma once
/// Owns: what was worked of each lane of a platform queue since it was last written to the platform's analytics keys.
/// Callers: queue_sampler. Thread: any: consumers on other loops share it.
///
/// "<tenant>:<project>:kdcube:chat:prompt:queue:analytics:<type>" holds JSON of six figures. Many processes add to it in one
/// script each, so that none undoes another's; "today" is the day in UTC, and "last hour" the last sixty minutes, for which
/// minutes are kept under a key of our own, "<tenant>:<project>:corbel:queue:minutes:<type>".

#include "queue/protocol.hpp"

#include <chrono>
#include <mutex>
#include <string>
#include <vector>

namespace corbel::detail {

class queue_analytics {
 public:
  static constexpr std::chrono::seconds kept{86400};

  /// lanes: the user types, in the order of the ready lists.
  queue_analytics(const std::string &tenant, const std::string &project, const std::vector<queue_lane> &lanes,
                  std::vector<std::string> ready_lists);

  /// One message of the lane (0-based) was worked that had waited so long.
  void worked(std::size_t lane, std::chrono::milliseconds wait) noexcept;
  /// Writes what was worked since the last call, and looks at the depths. What is not written because the call fails is
  /// lost: these are figures, not accounts.
  script_call write();

 private:
  struct lane_figures {
    std::string ready, analytics, minutes;
    std::uint64_t count = 0;
    double waited = 0;  // seconds, together
  };
  std::mutex mutex_;
  std::vector<lane_figures> lanes_;
};

}  // namespace corbel::detail
