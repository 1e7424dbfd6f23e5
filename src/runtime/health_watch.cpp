#include "runtime/health_watch.hpp"

#include <fmt/format.h>

namespace corbel::detail {

health_watch::health_watch(std::shared_ptr<loop> where, health_table &table, logger &log)
    : loop_(std::move(where)), table_(table), log_(log), timer_(loop_->context()) {}

void health_watch::tell(std::vector<health_change> changes, std::optional<clock::time_point> due) {
  for (auto &c : changes) log(c);
  if (!changes.empty()) {
    std::lock_guard lock(mutex_);
    for (auto &[id, r] : receivers_)
      for (auto &c : changes) r.on->post([fn = r.fn, c] { (*fn)(c); });
  }
  if (!due || owner_.expired()) return;
  used_ = true;
  // Weak: what waits in a loop that has ended may not own it.
  loop_->post([weak = weak_from_this(), at = *due] {
    if (auto self = weak.lock()) self->arm(at);
  });
}

void health_watch::log(const health_change &c) {
  // A start is no news for somebody on call.
  const bool first = c.before == health_state::unknown;
  const bool better = c.part.empty() ? c.ready : illness(c.state) < illness(c.before);
  // Nor is a host whose last part went, as it does at the end.
  const bool nothing_left = c.part.empty() && c.state == health_state::unknown;
  const bool quiet = nothing_left || (first && illness(c.state) <= illness(health_state::unknown));
  const auto level = quiet ? log_level::debug : better ? log_level::info : log_level::warning;
  if (!log_.enabled(level)) return;
  const std::string state = health_state_name(c.state);
  std::string text;
  if (c.part.empty())
    text = c.ready ? "ready, " + state : "not ready, " + state;
  else
    text = fmt::format("{} is {}, it was {}", c.part, state, health_state_name(c.before));
  if (!c.reason.empty()) text += ": " + c.reason;
  log_.write({level, "health", std::move(text), {{"state", state}, {"about", c.part.empty() ? "host" : c.part}}});
}

void health_watch::arm(clock::time_point due) {
  if (stopped_ || armed_ <= due) return;
  armed_ = due;
  timer_.expires_at(due);
  timer_.async_wait([weak = weak_from_this()](const boost::system::error_code &ec) {
    auto self = weak.lock();
    if (ec || !self || self->stopped_) return;
    self->armed_ = clock::time_point::max();
    if (auto owner = self->owner_.lock()) self->table_.review();
  });
}

std::uint64_t health_watch::listen(std::shared_ptr<listener> on, listen_function fn) {
  std::lock_guard lock(mutex_);
  receivers_.emplace(++last_, receiver{std::move(on), std::make_shared<listen_function>(std::move(fn))});
  return last_;
}

void health_watch::forget(std::uint64_t id) {
  receiver gone;
  std::lock_guard lock(mutex_);
  auto at = receivers_.find(id);
  if (at == receivers_.end()) return;
  gone = std::move(at->second);
  receivers_.erase(at);
  gone.on->close();
}

void health_watch::stop() {
  if (!used_) return;
  loop_->post([weak = weak_from_this()] {
    auto self = weak.lock();
    if (!self) return;
    self->stopped_ = true;
    self->timer_.cancel();
  });
}

void write_health_metrics(metrics_writer &to, const health_table &table) {
  const auto summary = table.summary();
  if (summary.parts.empty() && !summary.draining) return;
  to.gauge("corbel_ready", "Whether the host is ready.", {}, summary.ready);
  to.gauge("corbel_alive", "Whether the host is alive.", {}, summary.alive);
  to.gauge("corbel_draining", "Whether the host drains.", {}, summary.draining);
  for (auto &part : summary.parts)
    to.gauge("corbel_health_state",
             "State of a part of the host: 0 ok, 1 saturated, 2 degraded, 3 unknown, 4 stale, 5 down.",
             {{"part", part.part}, {"required", part.required ? "true" : "false"}}, illness(part.state));
  for (auto &[part, count] : table.changes())
    to.counter("corbel_health_changes_total", "Changes of a part's state, and of the host's.",
               {{"part", part.empty() ? "host" : part}}, static_cast<double>(count));
}

}  // namespace corbel::detail
