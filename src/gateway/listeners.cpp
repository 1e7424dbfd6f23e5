// What a followed document tells: its state, its changes, its metrics; and the public face.
#include "gateway/core.hpp"

namespace corbel {

namespace detail {

std::string gateway_core::source() const {
  std::lock_guard lock(mutex_);
  return source_;
}

error gateway_core::refused() const {
  std::lock_guard lock(mutex_);
  return refused_;
}

std::uint64_t gateway_core::listen(gateway_config::listener fn, std::string component) {
  auto thread = runtime_->listeners().add("gateway:config");
  auto now = current(component);
  auto who = std::make_shared<told>(told{std::move(fn), std::move(component), std::move(now), std::move(thread)});
  std::uint64_t id = 0;
  {
    std::lock_guard lock(mutex_);
    listeners_.emplace(id = ++last_listener_, who);
  }
  tell(who);  // of what may have come just now
  return id;
}

bool gateway_core::unlisten(std::uint64_t id) {
  std::lock_guard lock(mutex_);
  auto node = listeners_.extract(id);
  if (node) node.mapped()->thread->close();
  return !node.empty();
}

void gateway_core::tell(const std::shared_ptr<told> &who) {
  who->thread->post_latest([self = shared_from_this(), who] {
    auto change = self->now(who->component);
    change.changed = settings_changes(*std::exchange(who->last, change.settings), *change.settings);
    if (!change.changed.empty()) who->fn(change);
  });
}

void gateway_core::write_metrics(metrics_writer &w) const {
  std::lock_guard lock(mutex_);
  auto updates = [&](const char *outcome, std::uint64_t n) {
    w.counter("corbel_gateway_documents_total", "Documents that came while running, by what became of them.",
              {{"outcome", outcome}}, static_cast<double>(n));
  };
  updates("applied", applied_);
  updates("unchanged", unchanged_);
  updates("refused", refusals_);
}

}  // namespace detail

gateway_config::gateway_config(runtime &rt, const redis_pool &pool, gateway_load start, gateway_config_options options) {
  if (auto why = start.reading.why()) throw failure(why);
  auto core = std::make_shared<detail::gateway_core>(rt.core(), pool, std::move(start), std::move(options));
  core->start();
  core_ = std::shared_ptr<detail::gateway_core>(core.get(), [core](detail::gateway_core *) mutable {
    if (core->runtime().forked())
      detail::leave_to_parent(core);
    else
      core->close();
  });
}

gateway_config::~gateway_config() = default;
gateway_config::gateway_config(gateway_config &&) noexcept = default;
gateway_config &gateway_config::operator=(gateway_config &&) noexcept = default;

std::shared_ptr<const gateway_settings> gateway_config::current(const std::string &component) const {
  return core_->current(component);
}
std::string gateway_config::source() const { return core_->source(); }
error gateway_config::refused() const { return core_->refused(); }
std::uint64_t gateway_config::listen(listener fn, std::string component) {
  return core_->listen(std::move(fn), std::move(component));
}
bool gateway_config::unlisten(std::uint64_t id) { return core_->unlisten(id); }
detail::io_executor gateway_config::executor() const { return core_->executor(); }
void gateway_config::start_ready(call c, detail::operation_ptr<void> op) const { core_->ready(std::move(op), c); }

}  // namespace corbel
