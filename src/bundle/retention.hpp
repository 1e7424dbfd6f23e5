#pragma once
/// Owns: the decision which commits of a repository are removed. Pure: no clock, no disk. Callers: the pruning job.

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace corbel::detail {

struct kept_commit {
  std::string name;
  std::chrono::system_clock::time_point used;  ///< when it was last made current or looked at
  std::uint64_t bytes = 0;
  bool pinned = false;  ///< by a reader of any process, or current of any bundle
};

struct retention_policy {
  std::uint32_t keep = 3;          ///< so many of those that nobody uses, the last used first
  std::chrono::seconds age{0};     ///< unused longer: removed; 0: no such limit
  std::uint64_t bytes = 0;         ///< of all commits of the repository; 0: no such limit
  std::chrono::seconds grace{60};  ///< used within it: not removed, for somebody may be about to pin it
};

/// The names to remove, the longest unused first. What is pinned is never among them. A time of use in the future counts as
/// now; one beyond the grace, as after the clock was set back, protects nothing.
std::vector<std::string> plan_retention(std::vector<kept_commit> all, const retention_policy &policy,
                                        std::chrono::system_clock::time_point now);

}  // namespace corbel::detail
