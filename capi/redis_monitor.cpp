#include "capi/handles.hpp"

#include <corbel/redis_monitor.hpp>

#include <mutex>

using namespace corbel;
using namespace corbel::capi;

namespace {

/// The latest state, and one RESUBSCRIBED after it, as events.
class state_source final : public detail::event_queue::source {
 public:
  explicit state_source(std::uint64_t user) : user_(user) {}

  void put(const redis_state_change &c) {
    std::lock_guard lock(mutex_);
    if (stopped_) return;
    if (c.state == redis_state::resubscribed) {
      resubscribed_ = true;
      epoch_ = c.epoch;
      return;
    }
    if (c.state == redis_state::reconnecting && pending_ && latest_.state == redis_state::down) {
      reconnecting_ = true;  // a loss is never coalesced away by the first try
      return;
    }
    latest_ = c;
    pending_ = true;
    resubscribed_ = reconnecting_ = false;
  }
  /// The monitor is freed: nothing more is told.
  void stop() {
    std::lock_guard lock(mutex_);
    pending_ = resubscribed_ = reconnecting_ = false;
    stopped_ = true;
  }
  bool next(corbel_event &out) noexcept override {
    std::lock_guard lock(mutex_);
    if (!pending_ && !resubscribed_ && !reconnecting_) return false;
    out.kind = CORBEL_EVENT_STATE;
    out.source = CORBEL_SOURCE_REDIS;
    out.user = user_;
    if (std::exchange(pending_, false)) {
      out.value = static_cast<std::int64_t>(latest_.state);
      out.epoch = latest_.epoch;
      return true;
    }
    if (std::exchange(reconnecting_, false)) {
      out.value = CORBEL_REDIS_RECONNECTING;
      out.epoch = latest_.epoch;
      return true;
    }
    resubscribed_ = false;
    out.value = CORBEL_REDIS_RESUBSCRIBED;
    out.epoch = epoch_;
    return true;
  }

 private:
  std::mutex mutex_;
  redis_state_change latest_;
  bool pending_ = false, resubscribed_ = false, reconnecting_ = false, stopped_ = false;
  std::uint64_t epoch_ = 0;
  const std::uint64_t user_;
};

}  // namespace

struct corbel_monitor {
  redis_monitor value;
  std::shared_ptr<detail::runtime_core> runtime;
  std::shared_ptr<state_source> notices = {};
};

corbel_status corbel_monitor_open(corbel_redis *r, const corbel_monitor_options *o, corbel_monitor **out,
                                  corbel_error **err) {
  return guard(err, [&]() -> error {
    if (!r || !out) return invalid("the pool or the out-parameter is NULL");
    corbel_monitor_options given{};
    if (o)
      if (auto why = read_options(o, given, "corbel_monitor_options")) return why;
    if (auto why = r->core().refusal()) return why;
    redis_monitor_options options;
    if (given.ping_ms != 0) options.ping = std::chrono::milliseconds(given.ping_ms);
    if (given.overdue_ms != 0) options.overdue = std::chrono::milliseconds(given.overdue_ms);
    auto made = std::unique_ptr<corbel_monitor>(  // NOLINTNEXTLINE(modernize-make-unique): an aggregate
        new corbel_monitor{redis_monitor(r->value, options), r->core().runtime().shared_from_this()});
    if (given.to) {
      auto source = std::make_shared<state_source>(given.user);
      made->value.listen([source, q = std::weak_ptr(given.to->queue)](const redis_state_change &c) {
        auto queue = q.lock();
        if (!queue) return;
        source->put(c);
        queue->notify(source);
      });
      made->notices = source;
    }
    *out = made.release();
    return {};
  });
}

corbel_status corbel_monitor_listen(corbel_monitor *m, corbel_state_fn fn, void *user, corbel_drop_fn drop,
                                    uint64_t *listener) {
  return guard(nullptr, [&]() -> error {
    if (!m || !fn) return invalid("the monitor or the function is NULL");
    if (auto why = m->runtime->refusal()) return why;
    std::shared_ptr<void> owned(user, [drop](void *u) {
      if (drop) drop(u);
    });
    const auto id = m->value.listen([fn, owned](const redis_state_change &c) {
      corbel_error why{c.why};
      fn(owned.get(), static_cast<std::int32_t>(c.state), c.epoch, c.state == redis_state::down && c.why ? &why : nullptr);
    });
    if (listener) *listener = id;
    return {};
  });
}

corbel_status corbel_monitor_unlisten(corbel_monitor *m, uint64_t listener) {
  return guard(nullptr, [&]() -> error {
    if (!m) return invalid("the monitor is NULL");
    if (m->runtime->forked()) return detail::forked_error();
    if (!m->value.unlisten(listener)) return invalid("the monitor has no listener of that id");
    return {};
  });
}

int32_t corbel_monitor_state(const corbel_monitor *m) {
  if (!m || m->runtime->forked()) return CORBEL_REDIS_UNKNOWN;
  return static_cast<int32_t>(m->value.state());
}

void corbel_monitor_free(corbel_monitor *m) {
  if (!m || m->runtime->forked()) return;
  if (m->notices) m->notices->stop();
  delete m;
}
