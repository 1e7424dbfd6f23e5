// What a pool tells of itself, and how it ends: states, statistics, metrics, drain, close.
#include "pool/ended.hpp"
#include "postgres/listen_hub.hpp"
#include "postgres/pool_core.hpp"

#include <fmt/format.h>

namespace corbel::detail {

using namespace std::chrono_literals;

void pg_pool_core::desk_connected(pg_connection &c) {
  if (health_.exchange(health_state::ok) == health_state::ok) return;
  runtime_->health().set({.part = name_, .state = health_state::ok, .required = true});
  runtime_->log(log_level::info, name_, fmt::format("connected to {}", settings_->shown),
                {{"backend", std::to_string(c.backend())}});
}

void pg_pool_core::desk_failed(const error &why, std::uint32_t open) {
  const auto now = open == 0 ? health_state::down : health_state::degraded;
  if (health_.exchange(now) == now) return;
  runtime_->health().set({.part = name_, .state = now, .reason = why.message(), .required = true});
  runtime_->log(
      log_level::warning, name_,
      fmt::format("no {}connection to {}: {}; trying again", open == 0 ? "" : "further ", settings_->shown, why.message()));
}

void pg_pool_core::desk_lost(const error &why) {
  runtime_->log(log_level::warning, name_, fmt::format("a connection to {} was lost: {}", settings_->shown, why.message()),
                {{"code", why.native()}});
}

void pg_pool_core::desk_says(log_level level, std::string text, const char *sqlstate) {
  runtime_->log(level, name_, std::move(text), {{"code", sqlstate}});
}

void pg_pool_core::tell_saturated(bool saturated, const std::string &counts) {
  if (aborted_ || health_ != health_state::ok) return;  // what is lost is told as such
  runtime_->health().set({.part = name_,
                          .state = saturated ? health_state::saturated : health_state::ok,
                          .reason = saturated ? "callers wait and no connection is free: " + counts : std::string(),
                          .required = true});
}

pg_stats pg_pool_core::stats() const {
  const auto c = desk_->counts();
  const auto &n = *counters_;
  const auto l = desk_->limits();
  pg_stats s;
  auto u32 = [](std::uint64_t v) { return static_cast<std::uint32_t>(v); };
  s.min = l.min_size;
  s.max = l.max_size;
  s.idle = c.idle;
  s.leased = c.leased;
  s.sharing = c.pipelines;
  s.listening = u32(n.listening.value());
  s.in_use = s.leased + s.sharing + s.listening;
  s.open = s.idle + s.in_use;
  s.connecting = u32(n.connecting.value());
  s.waiting = c.waiting;
  s.queued = u32(desk_->queued());
  const auto sent = n.sent.value(), settled = n.settled.value();
  s.unanswered = sent > settled ? u32(sent - settled) : 0;
  s.waits = n.waits.load(std::memory_order_relaxed);
  s.waited_ms = n.waited_ms.load(std::memory_order_relaxed);
  s.refused = n.refused.load(std::memory_order_relaxed);
  s.connects = n.connects.value();
  s.connect_failures = n.connect_failures.value();
  s.reconnects = n.reconnects.value();
  s.statements = n.statements.value();
  s.errors = n.errors.value();
  s.lost = n.lost.value();
  s.timeouts = n.timeouts.value();
  s.cancels = n.cancels.value();
  s.repeated = n.repeated.value();
  return s;
}

void pg_pool_core::write_metrics(metrics_writer &w) const {
  const auto s = stats();
  const metric_labels pool{{"pool", name_}};
  if (s.max != CORBEL_UNBOUNDED) w.gauge("corbel_postgres_connections_max", "Cap on connections of the pool.", pool, s.max);
  w.gauge("corbel_postgres_connections_min", "Connections kept warm.", pool, s.min);
  auto connections = [&](const char *use, double n) {
    w.gauge("corbel_postgres_connections", "Connections of the pool by use.", {{"pool", name_}, {"use", use}}, n);
  };
  connections("sharing", s.sharing);
  connections("leased", s.leased);
  connections("listening", s.listening);
  connections("idle", s.idle);
  connections("connecting", s.connecting);
  w.gauge("corbel_postgres_up", "1 while the last connect succeeded.", pool, health_ == health_state::ok ? 1 : 0);
  w.gauge("corbel_postgres_waiting", "Callers that wait for a lease.", pool, s.waiting);
  w.gauge("corbel_postgres_queued", "Statements that wait to be sent.", pool, s.queued);
  w.gauge("corbel_postgres_unanswered", "Statements sent and not answered yet.", pool, s.unanswered);
  auto counter = [&](const char *name, const char *help, std::uint64_t v) {
    w.counter(name, help, pool, static_cast<double>(v));
  };
  counter("corbel_postgres_statements_total", "Statements answered.", s.statements);
  counter("corbel_postgres_errors_total", "Statements answered with an error.", s.errors);
  counter("corbel_postgres_statements_lost_total", "Statements sent on a connection that was lost.", s.lost);
  counter("corbel_postgres_statements_timed_out_total", "Statements that were not answered in time.", s.timeouts);
  counter("corbel_postgres_statements_repeated_total", "Statements sent again.", s.repeated);
  counter("corbel_postgres_cancels_total", "Cancel requests sent to the server.", s.cancels);
  counter("corbel_postgres_connects_total", "Connections made.", s.connects);
  counter("corbel_postgres_connect_failures_total", "Connects that failed.", s.connect_failures);
  counter("corbel_postgres_reconnects_total", "Connections made again after a loss.", s.reconnects);
  counter("corbel_postgres_refused_total", "Calls refused or given up because a bound was reached.", s.refused);
  counter("corbel_postgres_lease_waits_total", "Leases that had to wait.", s.waits);
  w.counter("corbel_postgres_lease_wait_seconds_total", "Time that callers waited for leases.", pool,
            static_cast<double>(s.waited_ms) / 1000);
}

std::string pg_pool_core::left() const {
  std::string what;
  auto add = [&](std::size_t n, const char *noun) {
    if (n != 0) what += fmt::format("{}{} {}{}", what.empty() ? "" : ", ", n, noun, n == 1 ? "" : "s");
  };
  add(desk_->under_way(), "call");
  add(desk_->counts().leased, "lease");
  add(hub_->under_way(), "change of channel");
  return what.empty() ? what : fmt::format("pool '{}' ({})", name_, what);
}

void pg_pool_core::drain(std::function<void()> idle) {
  closing_.store(true, std::memory_order_release);
  await_idle(std::move(idle));
}

void pg_pool_core::await_idle(std::function<void()> idle) {
  if (aborted_ || left().empty()) return idle();
  auto timer = std::make_shared<boost::asio::steady_timer>(loop_->context(), 2ms);
  timer->async_wait([self = shared_from_this(), timer, idle = std::move(idle)](boost::system::error_code) mutable {
    self->await_idle(std::move(idle));
  });
}

void pg_pool_core::abort() {
  if (aborted_.exchange(true)) return;
  auto keep = shared_from_this();
  batch_scope batch;
  closing_.store(true, std::memory_order_release);
  const auto why = pool_freed("postgres");
  sweep_.cancel();
  saturation_->stop();
  for (auto *r = inbox_.take(); r;) std::exchange(r, r->next)->finish(why);
  hub_->stop(why);
  desk_->stop(why);
  runtime_->metrics().remove_source(metrics_source_);
  runtime_->health().remove(name_);
  runtime_->delist(number_);
  runtime_->free_name(name_);
}

void pg_pool_core::close(operation_ptr<void> op, const call &c) {
  if (auto why = runtime_->refusal()) return finish(std::move(op), result<void>(why));
  closing_.store(true, std::memory_order_release);
  const auto deadline = deadline_of(c, settings_->options.call_timeout, clock::now());
  auto shared = std::make_shared<operation_ptr<void>>(std::move(op));
  loop_->post([self = shared_from_this(), shared, deadline] {
    auto end = [self, shared](bool in_time) {
      if (!*shared) return;
      const auto what = self->left();
      self->abort();
      finish(std::move(*shared),
             in_time || what.empty()
                 ? result<void>()
                 : result<void>(error(status::timeout, fmt::format("closed with {} cancelled", what), "postgres")));
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
