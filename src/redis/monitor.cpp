#include "redis/pool_core.hpp"

#include <corbel/redis_monitor.hpp>

#include <mutex>
#include <set>

namespace corbel {

const char *redis_state_name(redis_state s) noexcept {
  switch (s) {
    case redis_state::unknown:
      return "unknown";
    case redis_state::up:
      return "up";
    case redis_state::down:
      return "down";
    case redis_state::reconnecting:
      return "reconnecting";
    case redis_state::resubscribed:
      return "resubscribed";
  }
  return "unknown";
}

struct redis_monitor::impl {
  redis_pool pool;
  std::uint64_t watch = 0;
  std::mutex mutex;
  std::set<std::uint64_t> listeners;

  ~impl() {
    auto &core = *pool.core();
    if (core.runtime().forked()) return;
    for (auto id : listeners) core.link().unlisten(id);
    core.remove_watch(watch);
  }
};

redis_monitor::redis_monitor(const redis_pool &pool, redis_monitor_options options)
    : impl_(new impl{.pool = pool, .mutex = {}, .listeners = {}}) {
  if (options.ping.count() <= 0 || options.overdue.count() <= 0)
    throw failure(error(status::invalid, "a monitor's ping and overdue times must be more than 0 ms", "redis", "OPTION"));
  impl_->watch = pool.core()->add_watch(options);
}

redis_monitor::~redis_monitor() = default;
redis_monitor::redis_monitor(redis_monitor &&) noexcept = default;
redis_monitor &redis_monitor::operator=(redis_monitor &&) noexcept = default;

std::uint64_t redis_monitor::listen(listener fn) {
  const auto id = impl_->pool.core()->link().listen(std::move(fn));
  std::lock_guard lock(impl_->mutex);
  impl_->listeners.insert(id);
  return id;
}

bool redis_monitor::unlisten(std::uint64_t id) {
  {
    std::lock_guard lock(impl_->mutex);
    if (impl_->listeners.erase(id) == 0) return false;
  }
  return impl_->pool.core()->link().unlisten(id);
}

redis_state redis_monitor::state() const noexcept { return impl_->pool.core()->link().state(); }

redis_state_change redis_monitor::last() const { return impl_->pool.core()->link().last(); }

}  // namespace corbel
