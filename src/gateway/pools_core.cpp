// The pools of a process: opened, resized, judged.
#include "gateway/pools_core.hpp"

#include "gateway/server_room.hpp"

#include <corbel/health.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace corbel::detail {

using namespace std::chrono_literals;

namespace {

std::vector<const char *> kinds_of(const gateway_settings &s) {
  if (s.connections().redis_pools_per_process == 3) return {"async", "async_decode", "sync"};
  return {"async"};
}

std::uint32_t redis_cap(const gateway_settings &s) {
  return s.pools.redis_max_connections ? static_cast<std::uint32_t>(*s.pools.redis_max_connections) : unbounded;
}

const char *const health_parts[] = {"budget:postgres", "budget:redis"};

}  // namespace

pools_core::pools_core(runtime &host, const gateway_settings &settings, pools_options options)
    : runtime_(host.core()),
      options_(std::move(options)),
      kinds_(kinds_of(settings)),
      settings_(std::make_shared<const gateway_settings>(settings)) {
  if (!settings.pools.redis_max_connections)
    rt().log(log_level::warning, "pools",
             "redis_max_connections is not set: the Redis pools are unbounded; set it in pools of the gateway document");
  for (auto kind : kinds_) {
    auto o = options_.redis;
    o.url = settings.redis_url;
    o.kind = kind;
    o.max_size = redis_cap(settings);
    o.utf8_replies = std::string_view(kind) == "async_decode";
    redis_.emplace_back(runtime_, std::move(o));
  }
}

pools_core::~pools_core() {
  if (rt().forked()) return;
  rt().metrics().remove_source(metrics_source_);
  for (auto part : health_parts) rt().health().remove(part);
}

redis_pool pools_core::redis(std::string_view kind) const {
  if (kind.empty()) return redis_.front();
  for (std::size_t i = 0; i < kinds_.size(); ++i)
    if (kind == kinds_[i]) return redis_[i];
  if (kinds_.size() == 1 && (kind == "sync" || kind == "shared")) return redis_.front();
  throw failure(
      error(status::invalid,
            fmt::format("no Redis pool '{}' in the component {}: there {}", kind.substr(0, 40), settings()->component,
                        kinds_.size() == 1 ? "is one, shared by async and sync" : "are async, async_decode and sync"),
            "config", "KIND"));
}

pg_pool pools_core::postgres() {
  std::lock_guard lock(mutex_);
  if (!postgres_) {
    auto o = options_.postgres;
    o.min_size = static_cast<std::uint32_t>(settings_->pg_pool_min());
    o.max_size = static_cast<std::uint32_t>(settings_->pg_pool_max());
    postgres_.emplace(runtime_, std::move(o));
  }
  return *postgres_;
}

std::optional<pg_pool> pools_core::opened_postgres() const {
  std::lock_guard lock(mutex_);
  return postgres_;
}

pools_core::settings_ptr pools_core::settings() const {
  std::lock_guard lock(mutex_);
  return settings_;
}

result<void> pools_core::apply(const gateway_settings &s) {
  auto next = std::make_shared<const gateway_settings>(s);
  settings_ptr before;
  {
    std::lock_guard lock(mutex_);
    if (s.component != settings_->component)
      return error(
          status::invalid,
          fmt::format("these are settings of the component {}, the pools are of {}", s.component, settings_->component),
          "config", "COMPONENT");
    before = std::exchange(settings_, std::move(next));
  }
  if (s.service_capacity.processes_per_instance != before->service_capacity.processes_per_instance)
    rt().log(log_level::info, "pools",
             fmt::format("processes_per_instance is {} now, {} before: it counts from the next start of the instance",
                         s.service_capacity.processes_per_instance, before->service_capacity.processes_per_instance));
  for (auto &pool : redis_)
    if (auto done = pool.resize(redis_cap(s)); !done) return done;
  if (auto pg = opened_postgres())
    return pg->resize(static_cast<std::uint32_t>(s.pg_pool_min()), static_cast<std::uint32_t>(s.pg_pool_max()));
  return {};
}

void pools_core::follow(gateway_config &config) {
  config.listen([weak = weak_from_this()](const gateway_change &change) {
    auto self = weak.lock();
    if (!self) return;
    if (auto done = self->apply(*change.settings); !done)
      self->rt().log(log_level::error, "pools", fmt::format("cannot apply {}: {}", change.source, done.error().message()));
  });
  // What changed before the listener was there.
  if (auto now = config.current(); !now->same_values(*settings())) (void)apply(*now);
}

void pools_core::budget(budget_request request, call c, operation_ptr<connection_budget> op) {
  if (auto why = rt().refusal()) return finish(std::move(op), result<connection_budget>(why));
  if (c.timeout == 0ms) c.timeout = 5000ms;
  struct asking {
    std::mutex mutex;
    operation_ptr<connection_budget> op;
    budget_request request;
    settings_ptr settings;
    server_room redis, postgres;
    int missing = 2;
  };
  auto a = std::make_shared<asking>();
  a->op = std::move(op);
  a->request = std::move(request);
  a->settings = settings();
  auto came = [self = shared_from_this(), a](server_room asking::*which, server_room room) {
    {
      std::lock_guard lock(a->mutex);
      (*a).*which = std::move(room);
      if (--a->missing != 0) return;
    }
    if (!a->postgres.allowed && a->settings->pools.pg_max_connections) {
      a->postgres.allowed = a->settings->pools.pg_max_connections;
      a->postgres.trouble =
          fmt::format("pools.pg_max_connections, because the server could not be asked: {}", a->postgres.trouble);
    }
    auto components = a->request.others;
    components.insert(components.begin(), plan_of(*a->settings, a->request.instances, a->request.workers));
    auto b = make_budget(std::move(components), std::move(a->postgres), std::move(a->redis));
    self->judge(b);
    finish(std::move(a->op), result<connection_budget>(std::move(b)));
  };
  ask_redis_room(redis_.front(), rt().name(), c, [came](server_room r) { came(&asking::redis, std::move(r)); });
  if (auto pg = opened_postgres())
    ask_postgres_room(*pg, rt().name(), c, [came](server_room r) { came(&asking::postgres, std::move(r)); });
  else
    came(&asking::postgres, {{}, 0, 0, "this process does not use PostgreSQL"});
}

budget_verdict pools_core::judged_before(bool postgres) const {
  std::lock_guard lock(mutex_);
  if (!last_budget_) return {};
  return postgres ? last_budget_->postgres : last_budget_->redis;
}

void pools_core::judge(connection_budget &b) {
  for (auto part : health_parts) {
    const auto &v = part == health_parts[0] ? b.postgres : b.redis;
    const bool over = v.level == budget_level::exceeds;
    const auto before = judged_before(part == health_parts[0]);
    const bool is_news = before.level != v.level || before.arithmetic != v.arithmetic;
    // Of a part that was well the health table tells the change itself.
    const bool told = over && before.level != budget_level::unknown && before.level != v.level;
    if (is_news && !told && (over || v.level == budget_level::max || v.level == budget_level::no_cap))
      rt().log(log_level::warning, "budget", v.arithmetic);
    if (v.level == budget_level::unknown)
      rt().health().remove(part);
    else
      rt().health().set({.part = part,
                         .state = over ? health_state::degraded : health_state::ok,
                         .reason = over ? v.arithmetic : std::string()});
  }
  std::lock_guard lock(mutex_);
  last_budget_ = b;
  if (metrics_source_ != 0) return;
  metrics_source_ = rt().metrics().add_source([weak = weak_from_this()](metrics_writer &w) {
    auto self = weak.lock();
    if (!self) return;
    std::lock_guard held(self->mutex_);
    auto show = [&](const char *server, const budget_verdict &verdict) {
      auto value = [&](const char *what, std::int64_t n) {
        w.gauge("corbel_budget_connections", "Connections of the last budget.", {{"server", server}, {"what", what}},
                static_cast<double>(n));
      };
      if (verdict.planned) value("planned", *verdict.planned);
      if (verdict.room.allowed) value("available", verdict.room.available());
    };
    show("postgres", self->last_budget_->postgres);
    show("redis", self->last_budget_->redis);
  });
}

}  // namespace corbel::detail
