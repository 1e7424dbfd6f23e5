#pragma once
/// Durations of the last hour as the platform keeps them in Redis, a sorted set for each kind: its key, its members, and
/// what is told of them. Pure; any thread.

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace corbel {

/// kind: "ingress_rest_ms", "task_queue_wait_ms", "task_exec_ms". component: "ingress", "proc".
inline std::string latency_key(const std::string &tenant, const std::string &project, const char *kind,
                               const char *component) {
  return tenant + ":" + project + ":kdcube:metrics:" + kind + ":" + component;
}

struct latency_sample {
  double at = 0, ms = 0;  ///< seconds since 1970; milliseconds

  /// "1796063064.25:12.5"; none when it is something else.
  static std::optional<latency_sample> parse(std::string_view member) {
    latency_sample s;
    auto read = [](std::string_view text, double &to) {
      const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), to);
      return ec == std::errc() && end == text.data() + text.size();
    };
    const auto colon = member.find(':');
    if (colon == member.npos || !read(member.substr(0, colon), s.at) || !read(member.substr(colon + 1), s.ms)) return {};
    return s;
  }
};

struct latency_window {
  std::size_t count = 0;
  double p50 = 0, p95 = 0, p99 = 0, most = 0;

  static latency_window of(const std::vector<latency_sample> &samples, double now, double seconds) {
    std::vector<double> all;
    for (auto &s : samples)
      if (s.at >= now - seconds) all.push_back(s.ms);
    if (all.empty()) return {};
    std::ranges::sort(all);
    auto at = [&](std::size_t percent) { return all[std::min(percent * all.size() / 100, all.size() - 1)]; };
    return {all.size(), at(50), at(95), at(99), all.back()};
  }
};

}  // namespace corbel
