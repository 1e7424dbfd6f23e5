// What a pool tells of itself, and how it ends: states, statistics, metrics, drain, close.
#include "pool/ended.hpp"
#include "redis/pool_core.hpp"

#include <fmt/format.h>

namespace corbel::detail {

using namespace std::chrono_literals;

void redis_pool_core::pipeline_trying(redis_pipeline &p) {
  if (&p == pipelines_.front().get()) link_->trying();
}

void redis_pool_core::pipeline_up(redis_pipeline &p) {
  if (&p != pipelines_.front().get()) return;
  link_->up(p.epoch());
  if (subscriber_->is_up() && subscriber_->any_wanted() && subscriber_->is_restored()) link_->resubscribed();
  runtime_->health().set({.part = name_, .state = health_state::ok, .required = true});
  runtime_->log(log_level::info, name_, fmt::format("connected to {}", settings_->address.shown()),
                {{"epoch", std::to_string(p.epoch())}});
  followers_.tell_up();
}

void redis_pool_core::pipeline_down(redis_pipeline &p, const error &why) {
  if (&p != pipelines_.front().get()) return;
  const bool is_news = link_->state() == redis_state::up || link_->state() == redis_state::unknown;
  link_->down(why);
  if (!is_news) return;
  runtime_->health().set({.part = name_, .state = health_state::down, .reason = why.message(), .required = true});
  runtime_->log(log_level::warning, name_,
                fmt::format("no connection to {}: {}; trying again", settings_->address.shown(), why.message()));
}

void redis_pool_core::tell_saturated(bool saturated, const std::string &counts) {
  if (aborted_ || link_->state() != redis_state::up) return;  // what is lost is told as such
  runtime_->health().set({.part = name_,
                          .state = saturated ? health_state::saturated : health_state::ok,
                          .reason = saturated ? "callers wait and no connection is free: " + counts : std::string(),
                          .required = true});
}

redis_stats redis_pool_core::stats() const {
  const auto c = desk_->counts();
  const auto &n = *counters_;
  redis_stats s{};
  auto u32 = [](std::uint64_t v) { return static_cast<std::uint32_t>(v); };
  s.max = desk_->max_size();
  s.connecting = u32(n.connecting.value());
  s.idle = c.idle;
  s.leased = c.leased;
  s.pipelines = c.pipelines;
  s.subscriptions = u32(n.subscriptions_up.value());
  s.open = u32(n.pipelines_up.value() + n.subscriptions_up.value()) + c.leased + c.idle;
  s.waiting = c.waiting;
  s.waited_ms = n.waited_ms.load(std::memory_order_relaxed);
  s.waits = n.waits.load(std::memory_order_relaxed);
  s.refused = n.refused.load(std::memory_order_relaxed);
  s.reconnects = n.reconnects.value();
  s.commands = n.answered.value();
  s.lost = n.lost.value();
  s.timeouts = n.timeouts.value();
  const auto settled = n.answered.value() + n.given_up.value();
  const auto sent = n.sent.value();
  s.unanswered = sent > settled ? sent - settled : 0;
  return s;
}

void redis_pool_core::write_metrics(metrics_writer &w) const {
  const auto s = stats();
  const metric_labels pool{{"pool", name_}};
  if (s.max != unbounded) w.gauge("corbel_redis_connections_max", "Cap on connections of the pool.", pool, s.max);
  auto connections = [&](const char *state, double n) {
    w.gauge("corbel_redis_connections", "Connections of the pool by use.", {{"pool", name_}, {"use", state}}, n);
  };
  connections("pipeline", s.pipelines);
  connections("subscription", s.subscriptions);
  connections("leased", s.leased);
  connections("idle", s.idle);
  connections("connecting", s.connecting);
  w.gauge("corbel_redis_up", "1 while the pool's first pipeline is connected.", pool,
          link_->state() == redis_state::up ? 1 : 0);
  w.gauge("corbel_redis_waiting", "Callers that wait for a lease.", pool, s.waiting);
  w.gauge("corbel_redis_unanswered", "Commands sent and not answered yet.", pool, static_cast<double>(s.unanswered));
  auto counter = [&](const char *name, const char *help, std::uint64_t v) {
    w.counter(name, help, pool, static_cast<double>(v));
  };
  counter("corbel_redis_commands_total", "Commands answered.", s.commands);
  counter("corbel_redis_commands_lost_total", "Commands that were sent on a connection that was lost.", s.lost);
  counter("corbel_redis_commands_timed_out_total", "Commands that were not answered in time.", s.timeouts);
  counter("corbel_redis_reconnects_total", "Connections made again after a loss.", s.reconnects);
  counter("corbel_redis_refused_total", "Calls refused or given up because a bound was reached.", s.refused);
  counter("corbel_redis_lease_waits_total", "Leases that had to wait.", s.waits);
  w.counter("corbel_redis_lease_wait_seconds_total", "Time that callers waited for leases.", pool,
            static_cast<double>(s.waited_ms) / 1000);
}

std::uint64_t redis_pool_core::add_watch(redis_monitor_options o) {
  const auto id = last_watch_.fetch_add(1) + 1;
  if (!refusal())
    loop_->post([self = shared_from_this(), id, o] {
      self->watches_.emplace(id, o);
      self->apply_watch();
    });
  return id;
}

void redis_pool_core::remove_watch(std::uint64_t id) {
  if (runtime_->forked() || aborted_.load(std::memory_order_acquire)) return;
  loop_->post([self = shared_from_this(), id] {
    self->watches_.erase(id);
    self->apply_watch();
  });
}

void redis_pool_core::apply_watch() {
  auto idle = settings_->options.idle_ping, overdue = settings_->options.ping_overdue;
  for (auto &[id, o] : watches_) {
    idle = idle <= 0ms ? o.ping : std::min(idle, o.ping);
    overdue = std::min(overdue, o.overdue);
  }
  for (auto &p : pipelines_) p->watch(idle, overdue);
  subscriber_->watch(idle, overdue);
}

std::string redis_pool_core::left() const {
  std::string what;
  auto add = [&](std::size_t n, const char *noun) {
    if (n != 0) what += fmt::format("{}{} {}{}", what.empty() ? "" : ", ", n, noun, n == 1 ? "" : "s");
  };
  std::size_t commands = 0;
  for (auto &p : pipelines_) commands += p->under_way();
  add(commands, "command");
  add(desk_->under_way(), "call on leases or waiting for one");
  add(desk_->counts().leased, "lease");
  add(subscriber_->under_way(), "subscription change");
  return what.empty() ? what : fmt::format("pool '{}' ({})", name_, what);
}

void redis_pool_core::drain(std::function<void()> idle) {
  closing_.store(true, std::memory_order_release);
  followers_.tell_closing();
  await_idle(std::move(idle));
}

void redis_pool_core::await_idle(std::function<void()> idle) {
  if (aborted_ || left().empty()) return idle();
  auto timer = std::make_shared<boost::asio::steady_timer>(loop_->context(), 2ms);
  timer->async_wait([self = shared_from_this(), timer, idle = std::move(idle)](boost::system::error_code) mutable {
    self->await_idle(std::move(idle));
  });
}

void redis_pool_core::abort() {
  if (aborted_.exchange(true)) return;
  auto keep = shared_from_this();
  batch_scope batch;
  closing_.store(true, std::memory_order_release);
  const auto why = pool_freed("redis");
  sweep_.cancel();
  retire_.cancel();
  shrink_.cancel();
  saturation_->stop();
  link_->stop();
  for (auto *r = inbox_.take(); r;) std::exchange(r, r->next)->finish(why);
  for (auto &p : std::exchange(pipelines_, {})) p->stop(why);
  desk_->stop(why);
  subscriber_->stop(why);
  followers_.tell_closed(why);
  runtime_->metrics().remove_source(metrics_source_);
  runtime_->health().remove(name_);
  runtime_->delist(number_);
  runtime_->free_name(name_);
}

result<void> redis_pool_core::resize(std::uint32_t max_size) {
  if (auto why = refusal()) return why;
  if (max_size == 0) return error(status::invalid, "max_size is 0: give at least 1", "redis", "OPTION");
  const auto before = desk_->set_max_size(max_size);
  if (before == max_size) return {};
  auto shown = [](std::uint32_t n) { return n == unbounded ? std::string("unbounded") : std::to_string(n); };
  runtime_->log(max_size == unbounded ? log_level::warning : log_level::info, name_,
                fmt::format("resized: at most {} connections, {} before", shown(max_size), shown(before)));
  loop_->post([self = shared_from_this()] {
    batch_scope batch;
    self->shrink();
  });
  return {};
}

void redis_pool_core::shrink() {
  if (aborted_) return;
  desk_->fit();
  while (desk_->is_over() && pipelines_.size() > 1 && pipelines_.back()->under_way() == 0) retire_one_pipeline();
  // Leases come back by themselves; a pipeline that is busy is looked at again.
  shrinking_ = desk_->is_over() && pipelines_.size() > 1;
  if (!shrinking_) return;
  shrink_.expires_after(20ms);
  shrink_.async_wait([weak = weak_from_this()](boost::system::error_code ec) {
    auto self = weak.lock();
    if (!ec && self) self->shrink();
  });
}

void redis_pool_core::close(operation_ptr<void> op, const call &c) {
  if (auto why = runtime_->refusal()) return finish(std::move(op), result<void>(why));
  closing_.store(true, std::memory_order_release);
  const auto deadline = deadline_of(c, clock::now());
  auto shared = std::make_shared<operation_ptr<void>>(std::move(op));
  loop_->post([self = shared_from_this(), shared, deadline] {
    auto end = [self, shared](bool in_time) {
      if (!*shared) return;
      const auto what = self->left();
      self->abort();
      finish(std::move(*shared),
             in_time || what.empty()
                 ? result<void>()
                 : result<void>(error(status::timeout, fmt::format("closed with {} cancelled", what), "redis")));
    };
    auto timer = std::make_shared<boost::asio::steady_timer>(self->loop_->context(), deadline);
    timer->async_wait([end, timer](boost::system::error_code ec) {
      if (!ec) end(false);
    });
    self->drain([end, timer] {
      timer->cancel();
      end(true);
    });
  });
}

}  // namespace corbel::detail
