#pragma once
/// The gateway document of the platform as typed settings: every section, key, default and derived value, each with where it
/// came from. Pure: no file, no environment, no clock; <corbel/gateway.hpp> finds the document and follows its changes.
///
///     auto read = corbel::read_gateway(json, {.component = "proc"});
///     if (!read) die(read.why().message());            // every fault at once, each by its JSON path
///     use(read.settings.pg_pool_max(), read.settings.derived().queue_capacity);
///
/// Threads: values; any. Times are seconds, as in the document. Where this reader differs from the platform's own:
///
// clang-format off
///   | in the document                        | the platform                       | here                                 |
///   |----------------------------------------|------------------------------------|--------------------------------------|
///   | anything wrong                         | a log line, then the next source   | refused, with every fault            |
///   | slice of another component is wrong    | not seen                           | a fault: all must refuse it alike    |
///   | keys beside component slices           | dropped                            | defaults for every component         |
///   | component without a slice of its own   | `ingress`, else the first object   | `ingress`, else the first slice      |
///   | "8" where a number belongs             | taken, or null, or kept as text    | a fault                              |
///   | `enabled` of data_bus                  | text that is no word for no: yes   | true, false, 1, 0, words for them    |
///   | an unknown key                         | nothing                            | a warning with the nearest known one |
///   | an unknown profile                     | development                        | a fault                              |
///   | tenant, project named nowhere          | home, or default-tenant: by source | home, default-project                |
///   | redis_url beside a REDIS_... variable  | the environment, even its default  | the environment only where it is set |
///   | pg_pool_max_size 0                     | valid, then no pool can be made    | a fault                              |
///   | max_queue_size below 0                 | valid                              | a fault                              |
///   | a TTL or the like that is not positive | valid                              | a fault                              |
///   | counts over 1,000,000                  | valid                              | a fault                              |
///   | null for pools, limits, redis, ...     | the whole document falls through   | a fault                              |
///   | a rate limit role that is no object    | skipped                            | a fault                              |
// clang-format on

#include <corbel/result.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace corbel {

struct rate_limit {
  std::int64_t hourly = 50;  ///< -1: unlimited
  std::int64_t burst = 5;
  std::int64_t burst_window = 60;
  bool operator==(const rate_limit &) const = default;
};

struct service_capacity {
  std::int64_t concurrent_requests_per_process = 5;
  double avg_processing_time_seconds = 25.0;
  std::int64_t processes_per_instance = 1;
  std::optional<std::int64_t> concurrent_requests_per_instance = {};  ///< not given: the product of the other two
  std::optional<std::int64_t> requests_per_hour = {};                 ///< told only; nothing is computed from it
  bool operator==(const service_capacity &) const = default;
};

struct backpressure_settings {
  double capacity_buffer = 0.2;
  double queue_depth_multiplier = 2.0;
  double anonymous_pressure_threshold = 0.6;
  double registered_pressure_threshold = 0.8;
  double paid_pressure_threshold = 0.8;
  double hard_limit_threshold = 0.95;
  std::string capacity_source_component = "proc";
  bool operator==(const backpressure_settings &) const = default;
};

struct circuit_breaker_settings {
  std::int64_t auth_failure_threshold = 15, auth_recovery_timeout = 60, auth_success_threshold = 5, auth_window_size = 120,
               auth_half_open_max_calls = 10;
  std::int64_t rate_limit_failure_threshold = 20, rate_limit_recovery_timeout = 30, rate_limit_success_threshold = 3,
               rate_limit_window_size = 120, rate_limit_half_open_max_calls = 5;
  std::int64_t backpressure_failure_threshold = 10, backpressure_recovery_timeout = 60, backpressure_success_threshold = 5,
               backpressure_window_size = 120, backpressure_half_open_max_calls = 3;
  bool operator==(const circuit_breaker_settings &) const = default;
};

struct monitoring_settings {
  std::int64_t throttling_events_retention_hours = 24;
  bool session_analytics_enabled = true;
  std::int64_t circuit_breaker_stats_retention_hours = 24;
  bool queue_analytics_enabled = true;
  std::int64_t heartbeat_timeout_seconds = 45;
  std::int64_t instance_cache_ttl_seconds = 10;
  bool operator==(const monitoring_settings &) const = default;
};

struct redis_key_settings {
  std::int64_t rate_limit_key_ttl = 3600, session_ttl = 86400, analytics_ttl = 86400, circuit_breaker_stats_ttl = 3600,
               heartbeat_ttl = 30, sse_stats_ttl_seconds = 60, sse_stats_max_age_seconds = 120;
  bool operator==(const redis_key_settings &) const = default;
};

struct pool_settings {
  std::optional<std::int64_t> pg_pool_min_size = {};       ///< gateway_settings::pg_pool_min says what counts
  std::optional<std::int64_t> pg_pool_max_size = {};       ///< gateway_settings::pg_pool_max says what counts
  std::optional<std::int64_t> redis_max_connections = {};  ///< of each pool of each process; not given: unbounded
  std::optional<std::int64_t> pg_max_connections = {};     ///< what the server is said to allow, for the budget
  bool operator==(const pool_settings &) const = default;
};

struct limit_settings {
  // Not given and 0 both mean unlimited; limit_of() tells.
  std::optional<std::int64_t> max_sse_connections_per_instance = {};  ///< of each process, in spite of its name
  std::optional<std::int64_t> max_integrations_ops_concurrency = {};
  std::optional<std::int64_t> max_queue_size = {};
  bool operator==(const limit_settings &) const = default;
};

struct publish_limit {
  bool enabled = true;
  std::int64_t packages_per_minute = 600, messages_per_minute = 6000, bytes_per_minute = 16777216,
               max_messages_per_package = 200, max_package_bytes = 1048576, window_seconds = 60;  ///< -1: unlimited
  bool operator==(const publish_limit &) const = default;
};

/// The limit, or nothing where there is none.
inline std::optional<std::int64_t> limit_of(const std::optional<std::int64_t> &setting) noexcept {
  return setting && *setting > 0 ? setting : std::nullopt;
}

/// What follows from the settings, by the platform's formulas.
struct gateway_derived {
  std::int64_t total_concurrent = 0;             ///< per process x processes
  std::int64_t effective_concurrent = 0;         ///< total x (1 - buffer), cut
  std::int64_t queue_capacity = 0;               ///< total x multiplier, cut
  std::int64_t total_capacity_per_instance = 0;  ///< effective + queue
  std::int64_t requests_per_hour_per_instance = 0;
  std::int64_t threshold_anonymous = 0, threshold_registered = 0, threshold_paid = 0, threshold_hard = 0;
};

/// Planned connections of one instance; <corbel/pools.hpp> compares them with what the servers allow.
struct gateway_connections {
  std::int64_t redis_pools_per_process = 1;
  std::int64_t pg_conns_per_instance = 0;
  std::optional<std::int64_t> redis_conns_per_instance;  ///< nothing: unbounded
};

/// Where a value came from: "default", "GATEWAY_CONFIG_JSON: pools.proc.redis_max_connections", "REDIS_URL".
struct setting_origin {
  std::string source;  ///< empty: a default
  std::string path;    ///< in the source, where it has paths
  std::string text() const;
};

struct gateway_settings {
  std::string component = "ingress";  ///< "ingress", "proc", or any other name in lower case
  std::string profile = "development";
  std::string tenant = "home", project = "default-project";
  std::string instance_id = "default-instance";
  std::string redis_url = "redis://localhost:6379/0";  ///< may hold a password: never show it
  std::map<std::string, rate_limit, std::less<>> rate_limits;
  corbel::service_capacity service_capacity;
  backpressure_settings backpressure;
  circuit_breaker_settings circuit_breakers;
  monitoring_settings monitoring;
  redis_key_settings redis;
  pool_settings pools;
  limit_settings limits;
  std::map<std::string, publish_limit, std::less<>> publish_limits;
  std::vector<std::string> guarded_rest_patterns, bypass_throttling_patterns;

  /// Of everything that is no default, by the value's path without slices: "pools.redis_max_connections".
  std::map<std::string, setting_origin, std::less<>> origins;
  setting_origin origin(std::string_view path) const;

  gateway_derived derived() const;
  /// Thresholds for another capacity than one instance's own, such as that of all instances.
  gateway_derived thresholds(std::int64_t capacity) const;
  gateway_connections connections() const;
  std::int64_t pg_pool_min() const noexcept { return pools.pg_pool_min_size.value_or(0); }
  /// pg_pool_max_size, else concurrent_requests_per_process; never below the minimum.
  std::int64_t pg_pool_max() const noexcept;
  std::int64_t concurrent_requests_per_instance() const noexcept;
  /// {service_type, service_name} of the heartbeats that capacity is counted from: {"chat", "proc"}.
  std::pair<std::string, std::string> capacity_source() const;
  /// Of a role: its own, else that of `registered`, else of the first.
  const rate_limit &rate_limit_of(std::string_view role) const;
  const publish_limit &publish_limit_of(std::string_view role) const;
  std::string display_name() const { return "Gateway-" + profile + "-" + instance_id; }

  /// The values; where they came from does not count.
  bool same_values(const gateway_settings &other) const;
};

/// One thing that is wrong with a document.
struct gateway_fault {
  std::string path;     ///< "pools.proc.redis_max_connections"; empty: the document itself
  std::string found;    ///< "\"8\" (text)"
  std::string allowed;  ///< "an integer of at least 1, or null"
  std::string text() const;
};

struct gateway_warning {
  std::string path, what;
  std::string text() const { return path.empty() ? what : path + ": " + what; }
};

/// What a document is read with.
struct gateway_context {
  struct value {
    std::string text, origin;  ///< origin "": a default
  };
  std::string component = "ingress";                      ///< an alias will do: worker, chat-rest ...
  std::string source = "document";                        ///< what origins and messages call it
  value tenant = {"home", {}};                            ///< where the document names none, or a placeholder
  value project = {"default-project", {}};                ///< the same
  std::optional<value> instance_id = {}, redis_url = {};  ///< these win over the document's
  bool rooted = false;                                    ///< the document may stand under a root key `gateway`
  bool update = false;  ///< instance_id and redis_url of the document are not looked at; tenant
                        ///< and project must be the context's
};

struct gateway_reading {
  gateway_settings settings;  ///< of use only without faults
  std::vector<gateway_fault> faults;
  std::vector<gateway_warning> warnings;
  std::string source;
  explicit operator bool() const noexcept { return faults.empty(); }
  /// status::invalid: one line with the number of faults and all of them; success when there is none.
  error why() const;
};

/// "Worker" -> "proc", "chat-rest" -> "ingress", "" -> "ingress"; another name is kept, in lower case.
std::string component_name(std::string_view name);

gateway_reading read_gateway(std::string_view json, const gateway_context &context = {});
/// YAML with scalars typed by the core schema; then the same reader. Faults name context.source, lines and columns where the
/// text is no YAML.
gateway_reading read_gateway_yaml(std::string_view yaml, gateway_context context = {});
/// No document: the defaults with what the profile changes in them. A fault when there is no such profile.
gateway_reading gateway_defaults(const gateway_context &context, std::string_view profile = "development",
                                 std::optional<double> avg_processing_time_seconds = {});
/// Changes what was read as a preset of the platform does; a fault when there is none of that name.
void apply_preset(gateway_reading &reading, std::string_view preset);
/// Presets that take the place of a document, so that none has to be read.
bool preset_replaces_document(std::string_view preset) noexcept;

/// {"component", "display_name", the settings as a flat document, "derived", "connections", "origins": {path: text}}: on one
/// line; the Redis URL without its secrets.
std::string settings_json(const gateway_settings &s);
/// One line for each value: path, value, origin. Ends with a newline.
std::string settings_table(const gateway_settings &s);
/// A document that reads as these settings, for this component; without redis_url and instance_id.
std::string settings_document(const gateway_settings &s);
/// "pools.redis_max_connections: 20 -> 40" for each value that differs.
std::vector<std::string> settings_changes(const gateway_settings &before, const gateway_settings &after);

}  // namespace corbel
