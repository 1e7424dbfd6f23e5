#include "health/roll_up.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace corbel::detail {

int illness(health_state s) noexcept {
  switch (s) {
    case health_state::ok:
      return 0;
    case health_state::saturated:
      return 1;
    case health_state::degraded:
      return 2;
    case health_state::unknown:
      return 3;
    case health_state::stale:
      return 4;
    case health_state::down:
      return 5;
  }
  return 3;
}

namespace {

using std::chrono::milliseconds;

std::string duration_text(milliseconds d) {
  auto s = std::chrono::duration<double>(d).count();
  return s < 100 ? fmt::format("{:.1f} s", s) : fmt::format("{:.0f} s", s);
}

milliseconds silence(const health_entry &entry, const health_instant &now) {
  return std::chrono::floor<milliseconds>(now.steady - entry.reported.steady);
}

std::string after(std::string what, const char *then, const std::string &reason) {
  if (!reason.empty()) what += then + reason;
  return what;
}

health_part part_at(const health_entry &entry, const health_instant &now) {
  health_part part{entry.report, entry.since, entry.last_good};
  if (auto instead = entry.damper.instead(now.steady)) {
    part.reason = after(fmt::format("it flaps, {} changes within a minute, and says {} now", entry.damper.recent_changes(),
                                    health_state_name(part.state)),
                        ": ", part.reason);
    part.state = *instead;
  }
  const auto silent = silence(entry, now);
  if (part.fresh_for.count() == 0 || silent <= part.fresh_for) return part;
  part.reason = after(fmt::format("nothing was reported for {}, it should be within {}", duration_text(silent),
                                  duration_text(part.fresh_for)),
                      "; before that: ", part.reason);
  if (illness(part.state) >= illness(health_state::stale)) return part;  // silence makes nothing better
  part.state = health_state::stale;
  part.since = entry.reported.wall + part.fresh_for;
  return part;
}

/// What the part makes of the whole at worst; -1: it does not count.
int weight(const health_part &part) {
  if (part.required) return illness(part.state);
  if (part.state == health_state::unknown) return -1;
  return std::min(illness(part.state), illness(health_state::degraded));
}

std::string says(const health_part &part) {
  return part.part + ": " + (part.reason.empty() ? health_state_name(part.state) : part.reason);
}

}  // namespace

health_summary roll_up(std::span<const health_entry> entries, const health_instant &now, bool draining) {
  health_summary summary;
  summary.draining = draining;
  for (auto &entry : entries) summary.parts.push_back(part_at(entry, now));
  std::sort(summary.parts.begin(), summary.parts.end(), [](auto &a, auto &b) { return a.part < b.part; });

  const health_part *decides = nullptr;
  for (auto &part : summary.parts) {
    const bool gone = part.state == health_state::down || part.state == health_state::stale;
    if (part.vital && gone && summary.alive) summary.alive = false, summary.why_not_alive = says(part);
    if (weight(part) < 0) continue;
    if (!decides || weight(part) > weight(*decides) ||
        (weight(part) == weight(*decides) && part.required > decides->required))
      decides = &part;
  }
  if (!decides) {
    summary.because = "no part has reported yet";
  } else {
    const bool softened = !decides->required && illness(decides->state) > illness(health_state::degraded);
    summary.state = softened ? health_state::degraded : decides->state;
    if (summary.state != health_state::ok) summary.because = says(*decides);
  }
  summary.ready = !draining && illness(summary.state) <= illness(health_state::degraded);
  if (draining)
    summary.why_not_ready = "it drains";
  else if (!summary.ready)
    summary.why_not_ready = summary.because;
  return summary;
}

std::optional<std::chrono::steady_clock::time_point> next_due(std::span<const health_entry> entries,
                                                              const health_instant &now) {
  std::optional<std::chrono::steady_clock::time_point> first;
  auto consider = [&](std::chrono::steady_clock::time_point t) { first = first ? std::min(*first, t) : t; };
  for (auto &entry : entries) {
    if (auto due = entry.damper.due(now.steady)) consider(*due);
    const auto fresh = entry.report.fresh_for;
    if (fresh.count() != 0 && silence(entry, now) <= fresh && illness(entry.report.state) < illness(health_state::stale))
      consider(entry.reported.steady + fresh + milliseconds(1));
  }
  return first;
}

}  // namespace corbel::detail
