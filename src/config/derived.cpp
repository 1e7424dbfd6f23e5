// What follows from the settings: the platform's formulas, in doubles and cut as there.
#include <corbel/config.hpp>

#include <algorithm>
#include <cmath>

namespace corbel {

namespace {

std::int64_t cut(double n) noexcept {
  constexpr double most = 9.0e18;
  return static_cast<std::int64_t>(std::clamp(std::trunc(n), -most, most));
}

}  // namespace

gateway_derived gateway_settings::derived() const {
  gateway_derived d;
  d.total_concurrent = service_capacity.concurrent_requests_per_process * service_capacity.processes_per_instance;
  const auto total = static_cast<double>(d.total_concurrent);
  d.effective_concurrent = cut(total * (1 - backpressure.capacity_buffer));
  d.queue_capacity = cut(total * backpressure.queue_depth_multiplier);
  d.total_capacity_per_instance = d.effective_concurrent + d.queue_capacity;
  d.requests_per_hour_per_instance = cut(total * 3600 / service_capacity.avg_processing_time_seconds);
  const auto t = thresholds(d.total_capacity_per_instance);
  d.threshold_anonymous = t.threshold_anonymous;
  d.threshold_registered = t.threshold_registered;
  d.threshold_paid = t.threshold_paid;
  d.threshold_hard = t.threshold_hard;
  return d;
}

gateway_derived gateway_settings::thresholds(std::int64_t capacity) const {
  const auto c = static_cast<double>(capacity);
  gateway_derived d;
  d.total_capacity_per_instance = capacity;
  d.threshold_anonymous = cut(c * backpressure.anonymous_pressure_threshold);
  d.threshold_registered = cut(c * backpressure.registered_pressure_threshold);
  d.threshold_paid = cut(c * backpressure.paid_pressure_threshold);
  d.threshold_hard = cut(c * backpressure.hard_limit_threshold);
  return d;
}

gateway_connections gateway_settings::connections() const {
  const auto workers = service_capacity.processes_per_instance;
  gateway_connections c;
  c.redis_pools_per_process = component == "ingress" || component == "metrics" ? 3 : 1;
  c.pg_conns_per_instance = workers * pg_pool_max();
  if (pools.redis_max_connections)
    c.redis_conns_per_instance = workers * c.redis_pools_per_process * *pools.redis_max_connections;
  return c;
}

std::int64_t gateway_settings::pg_pool_max() const noexcept {
  return std::max(pools.pg_pool_max_size.value_or(service_capacity.concurrent_requests_per_process), pg_pool_min());
}

std::int64_t gateway_settings::concurrent_requests_per_instance() const noexcept {
  return service_capacity.concurrent_requests_per_instance.value_or(service_capacity.concurrent_requests_per_process *
                                                                    service_capacity.processes_per_instance);
}

std::pair<std::string, std::string> gateway_settings::capacity_source() const {
  std::string raw;
  for (char c : backpressure.capacity_source_component)
    if (c != ' ' && c != '\t') raw += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (auto colon = raw.find(':'); colon != raw.npos) {
    auto type = raw.substr(0, colon), name = raw.substr(colon + 1);
    return {type.empty() ? "chat" : type, name.empty() ? "proc" : name};
  }
  if (raw.empty() || raw == "proc" || raw == "processor" || raw == "chat-proc" || raw == "chat_proc")
    return {"chat", "proc"};
  if (raw == "ingress" || raw == "rest" || raw == "chat-rest" || raw == "chat_rest") return {"chat", "rest"};
  return {"chat", raw};
}

namespace {

template <class Map>
const auto &of_role(const Map &limits, std::string_view role) {
  auto it = limits.find(role);
  if (it == limits.end()) it = limits.find("registered");
  if (it == limits.end()) it = limits.begin();
  static const typename Map::mapped_type none;
  return it == limits.end() ? none : it->second;
}

}  // namespace

const rate_limit &gateway_settings::rate_limit_of(std::string_view role) const { return of_role(rate_limits, role); }
const publish_limit &gateway_settings::publish_limit_of(std::string_view role) const {
  return of_role(publish_limits, role);
}

std::string setting_origin::text() const {
  if (source.empty()) return "default";
  return path.empty() ? source : source + ": " + path;
}

setting_origin gateway_settings::origin(std::string_view path) const {
  auto it = origins.find(path);
  return it == origins.end() ? setting_origin{} : it->second;
}

bool gateway_settings::same_values(const gateway_settings &o) const {
  return component == o.component && profile == o.profile && tenant == o.tenant && project == o.project &&
         instance_id == o.instance_id && redis_url == o.redis_url && rate_limits == o.rate_limits &&
         service_capacity == o.service_capacity && backpressure == o.backpressure &&
         circuit_breakers == o.circuit_breakers && monitoring == o.monitoring && redis == o.redis && pools == o.pools &&
         limits == o.limits && publish_limits == o.publish_limits && guarded_rest_patterns == o.guarded_rest_patterns &&
         bypass_throttling_patterns == o.bypass_throttling_patterns;
}

}  // namespace corbel
