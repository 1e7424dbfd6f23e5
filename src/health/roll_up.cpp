#include "health/roll_up.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace corbel::detail {

namespace {

std::string duration_text(std::chrono::milliseconds d) {
  auto s = std::chrono::duration<double>(d).count();
  return s < 100 ? fmt::format("{:.1f} s", s) : fmt::format("{:.0f} s", s);
}

health_part part_at(const health_entry &entry, const health_instant &now) {
  health_part part{entry.report, entry.since};
  auto silent = std::chrono::floor<std::chrono::milliseconds>(now.steady - entry.reported.steady);
  if (part.fresh_for.count() == 0 || silent <= part.fresh_for) return part;
  auto state = std::max(part.state, part.required ? health_state::down : health_state::degraded);
  if (state != part.state) part.since = entry.reported.wall + part.fresh_for;
  part.state = state;
  auto before = part.reason.empty() ? "" : "; before that: " + part.reason;
  part.reason = fmt::format("nothing was reported for {}, it should be within {}{}", duration_text(silent),
                            duration_text(part.fresh_for), before);
  return part;
}

/// How much a part weighs in the whole: 0 nothing, then ok, degraded, unknown, down.
int weight(health_state s) {
  switch (s) {
    case health_state::ok:
      return 1;
    case health_state::degraded:
      return 2;
    case health_state::unknown:
      return 3;
    case health_state::down:
      return 4;
  }
  return 3;
}

/// What the part makes of the whole at worst.
int weight(const health_part &part) {
  if (part.required) return weight(part.state);
  if (part.state == health_state::unknown) return 0;
  return std::min(weight(part.state), weight(health_state::degraded));
}

}  // namespace

health_summary roll_up(std::span<const health_entry> entries, const health_instant &now) {
  health_summary summary;
  for (auto &entry : entries) summary.parts.push_back(part_at(entry, now));
  std::sort(summary.parts.begin(), summary.parts.end(), [](auto &a, auto &b) { return a.part < b.part; });

  const health_part *decides = nullptr;
  for (auto &part : summary.parts) {
    if (weight(part) == 0) continue;
    if (!decides || weight(part) > weight(*decides) ||
        (weight(part) == weight(*decides) && part.required > decides->required))
      decides = &part;
  }
  if (!decides) {
    summary.because = "no part has reported yet";
    return summary;
  }
  summary.state = decides->required ? decides->state : std::min(decides->state, health_state::degraded);
  if (summary.state != health_state::ok)
    summary.because = decides->part + ": " + (decides->reason.empty() ? health_state_name(decides->state) : decides->reason);
  return summary;
}

}  // namespace corbel::detail
