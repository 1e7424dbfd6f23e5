#pragma once
/// Connections planned against connections allowed. Pure arithmetic; <corbel/pools.hpp> asks the servers.
///
///     per process     PostgreSQL: pg_pool_max_size        Redis: redis_pools_per_process x redis_max_connections
///     per instance    x processes_per_instance
///     in all          x instances
///     available       what the server allows - what it reserves - what others hold
///
/// Threads: values; any.

#include <corbel/config.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace corbel {

/// What one component opens at most.
struct budget_component {
  std::string name;
  std::int64_t instances = 1, processes_per_instance = 1;
  std::int64_t redis_pools_per_process = 1;
  std::optional<std::int64_t> redis_max_connections = {};  ///< of each pool; nothing: unbounded
  std::int64_t pg_pool_max_size = 0;

  std::int64_t processes() const noexcept { return instances * processes_per_instance; }
  std::int64_t pg_total() const noexcept { return processes() * pg_pool_max_size; }
  std::optional<std::int64_t> redis_per_process() const noexcept {
    return redis_max_connections ? std::optional(redis_pools_per_process * *redis_max_connections) : std::nullopt;
  }
  std::optional<std::int64_t> redis_total() const noexcept {
    return redis_max_connections ? std::optional(processes() * *redis_per_process()) : std::nullopt;
  }
};

/// Of these settings. workers: processes of an instance where it is not processes_per_instance; 0: as the settings say.
/// Numbers are cut at 1,000,000.
budget_component plan_of(const gateway_settings &s, std::int64_t instances = 1, std::int64_t workers = 0);

/// What a server has for us.
struct server_room {
  std::optional<std::int64_t> allowed = {};  ///< max_connections, maxclients; nothing: not known
  std::int64_t reserved = 0;                 ///< of them for superusers and the like
  std::int64_t others = 0;                   ///< held by clients that are none of the plan's components
  std::string trouble = {};                  ///< why it is not known, or known from elsewhere than the server
  std::int64_t available() const noexcept { return allowed.value_or(0) - reserved - others; }
};

enum class budget_level {
  unknown,  ///< the server could not be asked
  ok,
  high,     ///< 80 % of what is available, or more
  max,      ///< all of it
  exceeds,  ///< more than that
  no_cap,   ///< no cap is set: the plan has no number
};
const char *budget_level_name(budget_level l) noexcept;

struct budget_verdict {
  std::optional<std::int64_t> planned;  ///< nothing: unbounded
  server_room room;
  budget_level level = budget_level::unknown;
  /// "PostgreSQL: ingress 3 x 4 x 10 = 120 planned; 100 allowed - 3 reserved - 12 held by others = 85 available: 35 too
  /// many"
  std::string arithmetic;
};

struct connection_budget {
  std::vector<budget_component> components;
  budget_verdict postgres, redis;
  bool is_over() const noexcept { return postgres.level == budget_level::exceeds || redis.level == budget_level::exceeds; }
};

connection_budget make_budget(std::vector<budget_component> components, server_room postgres, server_room redis);

/// A line for each component and server; ends with a newline.
std::string budget_table(const connection_budget &b);
/// {"components": [{"component", "instances", "processes_per_instance", "redis_pools_per_process", "per_process":
/// {"postgres", "redis"}, "per_instance", "total"}], "postgres": {"planned", "allowed", "reserved", "others", "available",
/// "level", "arithmetic"}, "redis": {...}, "over": false}. Unbounded and unknown numbers are null.
std::string budget_json(const connection_budget &b);

}  // namespace corbel
