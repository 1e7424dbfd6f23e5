#include "base/code_point.hpp"
#include "capi/handles.hpp"
#include "json/writer.hpp"

#include <corbel/health.hpp>

#include <deque>

using namespace corbel;
using namespace corbel::capi;

namespace {

std::string change_json(const health_change &c) {
  std::string out;
  json_writer w(out);
  w.begin_object().key("part").text_or_null(c.part).member("before", health_state_name(c.before));
  w.member("state", health_state_name(c.state)).key("reason").text_or_null(c.reason).member("ready", c.ready).end_object();
  return out;
}

/// Changes on their way to a slow reader: the oldest are dropped.
class change_source final : public detail::event_queue::source {
 public:
  change_source(std::size_t limit, std::uint64_t user) : limit_(limit), user_(user) {}
  void put(const health_change &c) {
    auto text = change_json(c);
    std::lock_guard lock(mutex_);
    if (changes_.size() >= limit_) changes_.pop_front(), dropped_ = true;
    changes_.emplace_back(c.state, std::move(text));
  }
  bool next(corbel_event &out) noexcept override {
    std::lock_guard lock(mutex_);
    if (changes_.empty()) return false;
    out.kind = CORBEL_EVENT_HEALTH;
    out.source = CORBEL_SOURCE_HEALTH;
    out.user = user_;
    out.value = static_cast<std::int64_t>(changes_.front().first);
    out.flags = std::exchange(dropped_, false) ? CORBEL_EVENT_DROPPED : 0;
    out.object = new (std::nothrow) corbel_text{std::move(changes_.front().second)};
    changes_.pop_front();
    return true;
  }

 private:
  std::mutex mutex_;
  std::deque<std::pair<health_state, std::string>> changes_;
  const std::size_t limit_;
  const std::uint64_t user_;
  bool dropped_ = false;
};

/// Runs body where the runtime may be used.
template <class Body>
corbel_status with(corbel_runtime *rt, Body &&body) {
  return guard(nullptr, [&]() -> error {
    if (!rt) return invalid("the runtime is NULL");
    if (rt->core().forked()) return detail::forked_error();
    return body();
  });
}

}  // namespace

corbel_status corbel_health_set(corbel_runtime *rt, const corbel_health_report *h, corbel_error **err) {
  return guard(err, [&]() -> error {
    if (!rt) return invalid("the runtime is NULL");
    if (rt->core().forked()) return detail::forked_error();
    corbel_health_report given{};
    if (auto why = read_options(h, given, "corbel_health_report", CORBEL_HEALTH_REQUIRED | CORBEL_HEALTH_VITAL)) return why;
    if (!given.part || !*given.part) return invalid("corbel_health_report.part is empty: name the part that reports");
    if (given.state < CORBEL_HEALTH_UNKNOWN || given.state > CORBEL_HEALTH_SATURATED)
      return invalid(fmt::format("corbel_health_report.state is {}: give CORBEL_HEALTH_UNKNOWN to CORBEL_HEALTH_SATURATED",
                                 given.state));
    if (given.fresh_ms < 0)
      return invalid(fmt::format(
          "corbel_health_report.fresh_ms is {}: give milliseconds, or 0 for a report that does not age", given.fresh_ms));
    if (given.reserved != 0)
      return error(status::unsupported,
                   "corbel_health_report.reserved is not 0: this version of the library does not know it");
    set_health(rt->value, {.part = given.part,
                           .state = static_cast<health_state>(given.state),
                           .reason = text_or(given.reason, ""),
                           .required = (given.flags & CORBEL_HEALTH_REQUIRED) != 0,
                           .fresh_for = std::chrono::milliseconds(given.fresh_ms),
                           .vital = (given.flags & CORBEL_HEALTH_VITAL) != 0});
    return {};
  });
}

corbel_status corbel_health_json(corbel_runtime *rt, corbel_text **out, corbel_error **err) {
  return guard(err, [&]() -> error {
    if (!rt || !out) return invalid("the runtime or the out-parameter is NULL");
    if (rt->core().forked()) return detail::forked_error();
    *out = new corbel_text{health_json(health(rt->value))};
    return {};
  });
}

int32_t corbel_health_state(corbel_runtime *rt, const char *part) {
  auto state = health_state::unknown;
  guard(nullptr, [&]() -> error {
    if (!rt || rt->core().forked()) return {};
    auto summary = health(rt->value);
    if (!part) {
      state = summary.state;
      return {};
    }
    for (auto &p : summary.parts)
      if (p.part == detail::one_line(part)) state = p.state;
    return {};
  });
  return static_cast<int32_t>(state);
}

corbel_status corbel_health_remove(corbel_runtime *rt, const char *part) {
  return with(rt, [&]() -> error {
    if (!part) return invalid("the part is NULL");
    remove_health(rt->value, part);
    return {};
  });
}

int corbel_health_ready(corbel_runtime *rt) {
  bool ready = false;
  with(rt, [&]() -> error {
    ready = health(rt->value).ready;
    return {};
  });
  return ready;
}

int corbel_health_alive(corbel_runtime *rt) {
  bool alive = false;
  with(rt, [&]() -> error {
    alive = health(rt->value).alive;
    return {};
  });
  return alive;
}

corbel_status corbel_health_drain(corbel_runtime *rt, int on) {
  return with(rt, [&]() -> error {
    set_draining(rt->value, on != 0);
    return {};
  });
}

corbel_status corbel_health_watch(corbel_runtime *rt, corbel_events *to, uint64_t user) {
  return with(rt, [&]() -> error {
    std::lock_guard lock(rt->log_mutex);
    if (rt->health_sink != 0) forget_health_change(rt->value, std::exchange(rt->health_sink, 0));
    if (!to) return {};
    auto source = std::make_shared<change_source>(to->notice_limit, user);
    rt->health_sink = on_health_change(rt->value, [source, q = std::weak_ptr(to->queue)](const health_change &c) {
      auto queue = q.lock();
      if (!queue) return;
      source->put(c);
      queue->notify(source);
    });
    return {};
  });
}

corbel_status corbel_health_watch_lag(corbel_runtime *rt) {
  return with(rt, [&]() -> error {
    watch_lag(rt->value);
    return {};
  });
}
