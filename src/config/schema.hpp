#pragma once
/// The keys of the document's sections: name, where the value lives, what is allowed. A new key is one line here, one member
/// in <corbel/config.hpp>. Defaults are the members' own.

#include "config/rule.hpp"

#include <corbel/config.hpp>

#include <span>
#include <string_view>
#include <variant>
#include <vector>

namespace corbel::detail {

template <class S>
struct field {
  const char *name;
  std::variant<std::int64_t S::*, std::optional<std::int64_t> S::*, double S::*, bool S::*, std::string S::*> at;
  rule allowed = {};
};

inline constexpr double most_seconds = 1e9, most_rate = 1e15;

inline constexpr field<rate_limit> rate_limit_fields[] = {
    {"hourly", &rate_limit::hourly, at_least(1).up_to(most_rate).or_minus_one()},
    {"burst", &rate_limit::burst, at_least(1).up_to(most_rate)},
    {"burst_window", &rate_limit::burst_window, at_least(1).up_to(most_seconds)},
};

inline constexpr field<service_capacity> capacity_fields[] = {
    {"concurrent_requests_per_process", &service_capacity::concurrent_requests_per_process, at_least(1)},
    {"avg_processing_time_seconds", &service_capacity::avg_processing_time_seconds, more_than(0).up_to(most_seconds)},
    {"processes_per_instance", &service_capacity::processes_per_instance, at_least(1)},
    {"concurrent_requests_per_instance", &service_capacity::concurrent_requests_per_instance,
     at_least(1).up_to(1e12).or_null()},
    {"requests_per_hour", &service_capacity::requests_per_hour, at_least(0).up_to(most_rate).or_null()},
};

inline constexpr field<backpressure_settings> backpressure_fields[] = {
    {"capacity_buffer", &backpressure_settings::capacity_buffer, ratio(false)},
    {"queue_depth_multiplier", &backpressure_settings::queue_depth_multiplier, more_than(0)},
    {"anonymous_pressure_threshold", &backpressure_settings::anonymous_pressure_threshold, ratio(true)},
    {"registered_pressure_threshold", &backpressure_settings::registered_pressure_threshold, ratio(true)},
    {"paid_pressure_threshold", &backpressure_settings::paid_pressure_threshold, ratio(true)},
    {"hard_limit_threshold", &backpressure_settings::hard_limit_threshold, ratio(true)},
    {"capacity_source_component", &backpressure_settings::capacity_source_component},
};

inline constexpr rule breaker_count = at_least(1), breaker_seconds = at_least(1).up_to(most_seconds);
inline constexpr field<circuit_breaker_settings> breaker_fields[] = {
    {"auth_failure_threshold", &circuit_breaker_settings::auth_failure_threshold, breaker_count},
    {"auth_recovery_timeout", &circuit_breaker_settings::auth_recovery_timeout, breaker_seconds},
    {"auth_success_threshold", &circuit_breaker_settings::auth_success_threshold, breaker_count},
    {"auth_window_size", &circuit_breaker_settings::auth_window_size, breaker_seconds},
    {"auth_half_open_max_calls", &circuit_breaker_settings::auth_half_open_max_calls, breaker_count},
    {"rate_limit_failure_threshold", &circuit_breaker_settings::rate_limit_failure_threshold, breaker_count},
    {"rate_limit_recovery_timeout", &circuit_breaker_settings::rate_limit_recovery_timeout, breaker_seconds},
    {"rate_limit_success_threshold", &circuit_breaker_settings::rate_limit_success_threshold, breaker_count},
    {"rate_limit_window_size", &circuit_breaker_settings::rate_limit_window_size, breaker_seconds},
    {"rate_limit_half_open_max_calls", &circuit_breaker_settings::rate_limit_half_open_max_calls, breaker_count},
    {"backpressure_failure_threshold", &circuit_breaker_settings::backpressure_failure_threshold, breaker_count},
    {"backpressure_recovery_timeout", &circuit_breaker_settings::backpressure_recovery_timeout, breaker_seconds},
    {"backpressure_success_threshold", &circuit_breaker_settings::backpressure_success_threshold, breaker_count},
    {"backpressure_window_size", &circuit_breaker_settings::backpressure_window_size, breaker_seconds},
    {"backpressure_half_open_max_calls", &circuit_breaker_settings::backpressure_half_open_max_calls, breaker_count},
};

inline constexpr field<monitoring_settings> monitoring_fields[] = {
    {"throttling_events_retention_hours", &monitoring_settings::throttling_events_retention_hours, at_least(1)},
    {"session_analytics_enabled", &monitoring_settings::session_analytics_enabled},
    {"circuit_breaker_stats_retention_hours", &monitoring_settings::circuit_breaker_stats_retention_hours, at_least(1)},
    {"queue_analytics_enabled", &monitoring_settings::queue_analytics_enabled},
    {"heartbeat_timeout_seconds", &monitoring_settings::heartbeat_timeout_seconds, at_least(1).up_to(most_seconds)},
    {"instance_cache_ttl_seconds", &monitoring_settings::instance_cache_ttl_seconds, at_least(0).up_to(most_seconds)},
};

inline constexpr rule ttl = at_least(1).up_to(most_seconds);
inline constexpr field<redis_key_settings> redis_fields[] = {
    {"rate_limit_key_ttl", &redis_key_settings::rate_limit_key_ttl, ttl},
    {"session_ttl", &redis_key_settings::session_ttl, ttl},
    {"analytics_ttl", &redis_key_settings::analytics_ttl, ttl},
    {"circuit_breaker_stats_ttl", &redis_key_settings::circuit_breaker_stats_ttl, ttl},
    {"heartbeat_ttl", &redis_key_settings::heartbeat_ttl, ttl},
    {"sse_stats_ttl_seconds", &redis_key_settings::sse_stats_ttl_seconds, ttl},
    {"sse_stats_max_age_seconds", &redis_key_settings::sse_stats_max_age_seconds, ttl},
};

inline constexpr field<pool_settings> pool_fields[] = {
    {"pg_pool_min_size", &pool_settings::pg_pool_min_size, at_least(0).or_null()},
    {"pg_pool_max_size", &pool_settings::pg_pool_max_size, at_least(1).or_null()},
    {"redis_max_connections", &pool_settings::redis_max_connections, at_least(1).or_null()},
    {"pg_max_connections", &pool_settings::pg_max_connections, at_least(1).or_null()},
};

inline constexpr rule limit_rule = at_least(0).up_to(1e9).or_null();
inline constexpr field<limit_settings> limit_fields[] = {
    {"max_sse_connections_per_instance", &limit_settings::max_sse_connections_per_instance, limit_rule},
    {"max_integrations_ops_concurrency", &limit_settings::max_integrations_ops_concurrency, limit_rule},
    {"max_queue_size", &limit_settings::max_queue_size, limit_rule},
};

/// null keeps the role's default. `enabled` has words of its own, see roles.cpp.
inline constexpr rule publish_rule = at_least(0).up_to(most_rate).or_minus_one().or_null();
inline constexpr field<publish_limit> publish_fields[] = {
    {"enabled", &publish_limit::enabled},
    {"packages_per_minute", &publish_limit::packages_per_minute, publish_rule},
    {"messages_per_minute", &publish_limit::messages_per_minute, publish_rule},
    {"bytes_per_minute", &publish_limit::bytes_per_minute, publish_rule},
    {"max_messages_per_package", &publish_limit::max_messages_per_package, publish_rule},
    {"max_package_bytes", &publish_limit::max_package_bytes, publish_rule},
    {"window_seconds", &publish_limit::window_seconds, at_least(1).up_to(most_seconds).or_null()},
};

/// Calls f(name, struct, fields) for every section that is a struct of its own.
template <class Settings, class F>
void each_section(Settings &s, F f) {
  f("service_capacity", s.service_capacity, std::span(capacity_fields));
  f("backpressure", s.backpressure, std::span(backpressure_fields));
  f("circuit_breakers", s.circuit_breakers, std::span(breaker_fields));
  f("monitoring", s.monitoring, std::span(monitoring_fields));
  f("redis", s.redis, std::span(redis_fields));
  f("pools", s.pools, std::span(pool_fields));
  f("limits", s.limits, std::span(limit_fields));
}

template <class S, std::size_t N>
std::vector<std::string_view> names_of(std::span<const field<S>, N> fields) {
  std::vector<std::string_view> names;
  for (auto &f : fields) names.emplace_back(f.name);
  return names;
}

/// Roles' names, as the platform's sessions have them.
inline const std::vector<std::string_view> &gateway_user_types =
    *new std::vector<std::string_view>{"anonymous", "external", "registered", "paid", "privileged"};

std::map<std::string, rate_limit, std::less<>> default_rate_limits();
std::map<std::string, publish_limit, std::less<>> default_publish_limits();
const std::vector<std::string> &default_guarded_patterns();
inline constexpr std::string_view profiles[] = {"development", "testing", "production", "load_test"};

}  // namespace corbel::detail
