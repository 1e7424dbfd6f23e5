#include "health/health_table.hpp"

#include "base/code_point.hpp"

#include <vector>

namespace corbel::detail {

namespace {
health_instant machine_clock() { return {std::chrono::steady_clock::now(), std::chrono::system_clock::now()}; }
}  // namespace

health_table::health_table(clock_function clock) : clock_(clock ? std::move(clock) : machine_clock) {}

void health_table::set(health_report report) {
  report.part = one_line(std::move(report.part));
  report.reason = one_line(std::move(report.reason));
  std::lock_guard lock(mutex_);
  auto now = clock_();
  auto [at, fresh] = entries_.try_emplace(report.part);
  auto &entry = at->second;
  if (fresh || entry.report.state != report.state) entry.since = now.wall;
  entry.reported = now;
  entry.report = std::move(report);
}

void health_table::remove(std::string_view part) {
  std::lock_guard lock(mutex_);
  if (auto at = entries_.find(one_line(std::string(part))); at != entries_.end()) entries_.erase(at);
}

health_summary health_table::summary() const {
  std::vector<health_entry> entries;
  auto now = clock_();
  {
    std::lock_guard lock(mutex_);
    for (auto &[part, entry] : entries_) entries.push_back(entry);
  }
  return roll_up(entries, now);
}

}  // namespace corbel::detail
