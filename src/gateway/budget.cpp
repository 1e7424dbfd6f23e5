// Planned connections against allowed ones.
#include "json/writer.hpp"

#include <corbel/budget.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace corbel {

namespace {

constexpr std::int64_t most = 1'000'000;

std::int64_t in_bounds(std::int64_t n) noexcept { return std::clamp<std::int64_t>(n, 1, most); }

std::string number(const std::optional<std::int64_t> &n) { return n ? std::to_string(*n) : std::string("unbounded"); }

budget_level judge(const std::optional<std::int64_t> &planned, const server_room &room) {
  if (!planned) return budget_level::no_cap;
  if (!room.allowed) return budget_level::unknown;
  const auto available = room.available();
  if (*planned > available) return budget_level::exceeds;
  if (*planned == available) return budget_level::max;
  return *planned >= available - available / 5 ? budget_level::high : budget_level::ok;
}

/// What the judgement says at the end of the arithmetic.
std::string outcome(const budget_verdict &v) {
  switch (v.level) {
    case budget_level::unknown:
      return "what the server allows is not known: " + v.room.trouble;
    case budget_level::no_cap:
      return "no cap is set (redis_max_connections): the server's limit is the only one";
    case budget_level::exceeds:
      return fmt::format("{} too many; lower the pools or the processes, or raise the server's limit",
                         *v.planned - v.room.available());
    case budget_level::max:
      return "none is left";
    case budget_level::high:
    case budget_level::ok:
      break;
  }
  return fmt::format("{} are left", v.room.available() - *v.planned);
}

/// factors: of each component, "ingress 3 x 4 x 10".
budget_verdict verdict(const char *server, const std::string &factors, std::optional<std::int64_t> planned,
                       server_room room) {
  budget_verdict v{planned, std::move(room), budget_level::unknown, {}};
  v.level = judge(planned, v.room);
  v.arithmetic = fmt::format("{}: {} = {} planned; ", server, factors, number(planned));
  if (v.room.allowed)
    v.arithmetic += fmt::format("{} allowed - {} reserved - {} held by others = {} available", *v.room.allowed,
                                v.room.reserved, v.room.others, v.room.available());
  const bool noted = v.room.allowed && !v.room.trouble.empty();
  v.arithmetic += fmt::format("{}{}{}", noted ? " (" + v.room.trouble + ")" : "", v.room.allowed ? ": " : "", outcome(v));
  return v;
}

void write_counts(json_writer &w, const char *key, std::int64_t postgres, const std::optional<std::int64_t> &redis) {
  w.key(key).begin_object().member("postgres", postgres).key("redis");
  redis ? w.value(*redis) : w.value(nullptr);
  w.end_object();
}

void write_verdict(json_writer &w, const char *key, const budget_verdict &v) {
  auto maybe = [&](const char *name, const std::optional<std::int64_t> &n) {
    w.key(name);
    n ? w.value(*n) : w.value(nullptr);
  };
  const bool known = v.room.allowed.has_value();
  w.key(key).begin_object();
  maybe("planned", v.planned);
  maybe("allowed", v.room.allowed);
  maybe("reserved", known ? std::optional(v.room.reserved) : std::nullopt);
  maybe("others", known ? std::optional(v.room.others) : std::nullopt);
  maybe("available", known ? std::optional(v.room.available()) : std::nullopt);
  w.member("level", budget_level_name(v.level)).member("arithmetic", v.arithmetic).end_object();
}

}  // namespace

const char *budget_level_name(budget_level l) noexcept {
  switch (l) {
    case budget_level::ok:
      return "ok";
    case budget_level::high:
      return "high";
    case budget_level::max:
      return "max";
    case budget_level::exceeds:
      return "exceeds";
    case budget_level::no_cap:
      return "unbounded";
    case budget_level::unknown:
      break;
  }
  return "unknown";
}

budget_component plan_of(const gateway_settings &s, std::int64_t instances, std::int64_t workers) {
  budget_component c;
  c.name = s.component;
  c.instances = in_bounds(instances);
  c.processes_per_instance = in_bounds(workers > 0 ? workers : s.service_capacity.processes_per_instance);
  c.redis_pools_per_process = s.connections().redis_pools_per_process;
  c.redis_max_connections = s.pools.redis_max_connections;
  c.pg_pool_max_size = s.pg_pool_max();
  return c;
}

connection_budget make_budget(std::vector<budget_component> components, server_room postgres, server_room redis) {
  std::int64_t pg_total = 0;
  std::optional<std::int64_t> redis_total = 0;
  std::string pg_factors, redis_factors;
  for (auto &c : components) {
    const auto plus = pg_factors.empty() ? "" : " + ";
    pg_total += c.pg_total();
    pg_factors += fmt::format("{}{} {} x {} x {}", plus, c.name, c.instances, c.processes_per_instance, c.pg_pool_max_size);
    redis_factors += fmt::format("{}{} {} x {} x {} x {}", plus, c.name, c.instances, c.processes_per_instance,
                                 c.redis_pools_per_process, number(c.redis_max_connections));
    if (redis_total) redis_total = c.redis_total() ? std::optional(*redis_total + *c.redis_total()) : std::nullopt;
  }
  connection_budget b;
  b.components = std::move(components);
  b.postgres = verdict("PostgreSQL", pg_factors, pg_total, std::move(postgres));
  b.redis = verdict("Redis", redis_factors, redis_total, std::move(redis));
  return b;
}

std::string budget_table(const connection_budget &b) {
  std::string out = fmt::format("{:<12} {:>9} {:>9} {:>22} {:>22} {:>22}\n", "component", "instances", "processes",
                                "per process pg/redis", "per instance pg/redis", "in all pg/redis");
  for (auto &c : b.components) {
    auto cell = [&](std::int64_t times) {
      const auto redis = c.redis_per_process();
      return fmt::format("{}/{}", times * c.pg_pool_max_size, number(redis ? std::optional(times * *redis) : redis));
    };
    out += fmt::format("{:<12} {:>9} {:>9} {:>22} {:>22} {:>22}\n", c.name, c.instances, c.processes_per_instance, cell(1),
                       cell(c.processes_per_instance), cell(c.processes()));
  }
  for (auto *v : {&b.postgres, &b.redis}) out += fmt::format("{:<10} {}\n", budget_level_name(v->level), v->arithmetic);
  return out;
}

std::string budget_json(const connection_budget &b) {
  std::string out;
  json_writer w(out);
  w.begin_object().key("components").begin_array();
  for (auto &c : b.components) {
    const auto redis = c.redis_per_process();
    auto times = [&](std::int64_t n) { return redis ? std::optional(n * *redis) : redis; };
    w.begin_object().member("component", c.name).member("instances", c.instances);
    w.member("processes_per_instance", c.processes_per_instance)
        .member("redis_pools_per_process", c.redis_pools_per_process);
    write_counts(w, "per_process", c.pg_pool_max_size, redis);
    write_counts(w, "per_instance", c.processes_per_instance * c.pg_pool_max_size, times(c.processes_per_instance));
    write_counts(w, "total", c.pg_total(), c.redis_total());
    w.end_object();
  }
  w.end_array();
  write_verdict(w, "postgres", b.postgres);
  write_verdict(w, "redis", b.redis);
  w.member("over", b.is_over()).end_object();
  return out;
}

}  // namespace corbel
