#include "bundle/retention.hpp"

#include <algorithm>

namespace corbel::detail {

std::vector<std::string> plan_retention(std::vector<kept_commit> all, const retention_policy &policy,
                                        std::chrono::system_clock::time_point now) {
  std::uint64_t total = 0;
  for (auto &c : all) {
    // Far in the future, the clock was set back: what it says is worth nothing, and must not protect for ever.
    c.used = c.used > now + policy.grace ? now - policy.grace : std::min(c.used, now);
    total += c.bytes;
  }
  std::ranges::sort(all, [](const auto &a, const auto &b) { return a.used != b.used ? a.used < b.used : a.name < b.name; });
  auto unused = static_cast<std::uint64_t>(std::ranges::count(all, false, &kept_commit::pinned));
  std::vector<std::string> out;
  for (const auto &c : all) {
    if (c.pinned || now - c.used < policy.grace) continue;
    const bool too_many = unused > policy.keep;
    const bool too_old = policy.age.count() > 0 && now - c.used > policy.age;
    const bool too_large = policy.bytes > 0 && total > policy.bytes;
    if (!too_many && !too_old && !too_large) continue;
    --unused;
    total -= c.bytes;
    out.push_back(c.name);
  }
  return out;
}

}  // namespace corbel::detail
