#include "health/health_table.hpp"

#include "base/code_point.hpp"

#include <algorithm>

namespace corbel::detail {

namespace {
health_instant machine_clock() { return {std::chrono::steady_clock::now(), std::chrono::system_clock::now()}; }

constexpr std::chrono::milliseconds longest_view{100};
}  // namespace

health_table::health_table(clock_function clock) : clock_(clock ? std::move(clock) : machine_clock) {}

void health_table::set(health_report report) {
  report.part = one_line(std::move(report.part));
  report.reason = one_line(std::move(report.reason));
  if (report.state == health_state::stale) report.state = health_state::unknown;
  std::lock_guard order(told_mutex_);
  std::unique_lock lock(mutex_);
  auto now = clock_();
  auto [at, fresh] = entries_.try_emplace(report.part);
  auto &entry = at->second;
  if (fresh || entry.report.state != report.state) entry.since = now.wall;
  if (report.state == health_state::ok || report.state == health_state::saturated) entry.last_good = now.wall;
  entry.damper.said(report.state, now.steady);
  entry.reported = now;
  entry.report = std::move(report);
  view_.reset();
  lock.unlock();
  tell();
}

void health_table::remove(std::string_view part) {
  std::lock_guard order(told_mutex_);
  std::unique_lock lock(mutex_);
  auto at = entries_.find(one_line(std::string(part)));
  if (at == entries_.end()) return;
  shown_.erase(at->first);
  entries_.erase(at);
  view_.reset();
  lock.unlock();
  tell();
}

void health_table::set_draining(bool draining) {
  std::lock_guard order(told_mutex_);
  {
    std::lock_guard lock(mutex_);
    draining_ = draining;
    view_.reset();
  }
  tell();
}

void health_table::review() {
  std::lock_guard order(told_mutex_);
  tell();
}

std::vector<health_entry> health_table::copy() const {
  std::vector<health_entry> entries;
  entries.reserve(entries_.size());
  for (auto &[part, entry] : entries_) entries.push_back(entry);
  return entries;
}

void health_table::tell() {
  std::unique_lock lock(mutex_);
  const auto entries = copy();
  const auto now = clock_();
  const auto summary = roll_up(entries, now, draining_);
  std::vector<health_change> changes;
  auto compare = [&](const std::string &part, health_state state, const std::string &reason) {
    auto [at, fresh] = shown_.try_emplace(part);
    auto &before = at->second;
    const bool whole = part.empty();
    if (before.state == state && (!whole || before.ready == summary.ready)) return;
    changes.push_back({part, before.state, state, reason, summary.ready});
    before = {state, summary.ready};
    ++changes_[part];
  };
  for (auto &part : summary.parts) compare(part.part, part.state, part.reason);
  compare("", summary.state, summary.ready ? summary.because : summary.why_not_ready);
  const auto due = next_due(entries, now);
  lock.unlock();
  if (tell_) tell_(std::move(changes), due);
}

health_summary health_table::summary() const {
  std::unique_lock lock(mutex_);
  const auto now = clock_();
  const auto entries = copy();
  const bool draining = draining_;
  lock.unlock();
  return roll_up(entries, now, draining);
}

std::shared_ptr<const health_table::shown_state> health_table::view() const {
  std::lock_guard lock(mutex_);
  const auto now = clock_();
  if (view_ && now.steady < view_until_) return view_;
  const auto entries = copy();
  auto made = std::make_shared<shown_state>();
  made->summary = roll_up(entries, now, draining_);
  made->json = health_json(made->summary);
  view_until_ = now.steady + longest_view;
  if (auto due = next_due(entries, now)) view_until_ = std::min(view_until_, *due);
  return view_ = std::move(made);
}

std::map<std::string, std::uint64_t> health_table::changes() const {
  std::lock_guard lock(mutex_);
  return changes_;
}

}  // namespace corbel::detail
