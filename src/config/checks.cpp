#include "config/checks.hpp"

#include <fmt/format.h>

namespace corbel::detail {

namespace {

class checker {
 public:
  explicit checker(reading_state &s) : state_(s), settings_(s.out) {}

  void faults() {
    const auto &b = settings_.backpressure;
    ordered("anonymous_pressure_threshold", b.anonymous_pressure_threshold, "registered_pressure_threshold",
            b.registered_pressure_threshold, false);
    ordered("registered_pressure_threshold", b.registered_pressure_threshold, "paid_pressure_threshold",
            b.paid_pressure_threshold, true);
    ordered("paid_pressure_threshold", b.paid_pressure_threshold, "hard_limit_threshold", b.hard_limit_threshold, false);
    const auto &p = settings_.pools;
    if (p.pg_pool_min_size && p.pg_pool_max_size && *p.pg_pool_max_size < *p.pg_pool_min_size)
      state_.found.fault(where("pools.pg_pool_max_size"), std::to_string(*p.pg_pool_max_size),
                         fmt::format("at least pg_pool_min_size ({})", *p.pg_pool_min_size));
    if (is_sound_capacity() && settings_.derived().total_capacity_per_instance <= 0)
      state_.found.fault(where("backpressure.queue_depth_multiplier"), fmt::format("{}", b.queue_depth_multiplier),
                         fmt::format("a multiplier and a buffer that leave room for one request: with {} at once and a "
                                     "buffer of {} there is none",
                                     settings_.derived().total_concurrent, b.capacity_buffer));
  }

  void warnings() {
    for (auto role : {"anonymous", "registered", "paid", "privileged"})
      if (settings_.rate_limits.find(role) == settings_.rate_limits.end())
        state_.found.warn(where("rate_limits"), fmt::format("no limits for the role {}", role));
    const auto &c = settings_.service_capacity;
    if (!is_sound_capacity()) return;
    const auto d = settings_.derived();
    if (settings_.concurrent_requests_per_instance() != d.total_concurrent)
      warn("service_capacity.concurrent_requests_per_instance",
           fmt::format("is {}, but {} per process x {} processes are {}, which counts",
                       settings_.concurrent_requests_per_instance(), c.concurrent_requests_per_process,
                       c.processes_per_instance, d.total_concurrent));
    for (auto role : {"anonymous", "registered"})
      if (auto it = settings_.rate_limits.find(role);
          it != settings_.rate_limits.end() && it->second.hourly > d.requests_per_hour_per_instance)
        warn(fmt::format("rate_limits.{}.hourly", role),
             fmt::format("{} an hour are more than the {} that one instance can serve", it->second.hourly,
                         d.requests_per_hour_per_instance));
    if (d.effective_concurrent < c.concurrent_requests_per_process)
      warn("backpressure.capacity_buffer", fmt::format("leaves {} requests at once, fewer than the {} of one process",
                                                       d.effective_concurrent, c.concurrent_requests_per_process));
    if (d.queue_capacity < d.total_concurrent)
      warn("backpressure.queue_depth_multiplier",
           fmt::format("the queue takes {}, fewer than the {} that are served at once", d.queue_capacity,
                       d.total_concurrent));
    if (d.total_capacity_per_instance > 1000)
      warn("backpressure.queue_depth_multiplier",
           fmt::format("one instance takes {} requests, more than 1000", d.total_capacity_per_instance));
    if (c.processes_per_instance > 16)
      warn("service_capacity.processes_per_instance",
           fmt::format("{} processes on one instance, more than 16", c.processes_per_instance));
    if (settings_.pools.redis_max_connections == 1)
      warn("pools.redis_max_connections", "one connection is kept for commands: no lease and no subscription is possible");
    if (!settings_.pools.pg_pool_max_size && settings_.pg_pool_min() > c.concurrent_requests_per_process)
      warn("pools.pg_pool_min_size", fmt::format("{} is over concurrent_requests_per_process ({}), the default of "
                                                 "pg_pool_max_size, which is raised to it",
                                                 settings_.pg_pool_min(), c.concurrent_requests_per_process));
  }

 private:
  bool is_sound(std::string_view path) const { return state_.faulty.find(path) == state_.faulty.end(); }
  bool is_sound_capacity() const {
    return is_sound("service_capacity.concurrent_requests_per_process") &&
           is_sound("service_capacity.processes_per_instance") && is_sound("backpressure.capacity_buffer") &&
           is_sound("backpressure.queue_depth_multiplier") && is_sound("service_capacity.avg_processing_time_seconds");
  }
  /// The path in the document, or without slices when the value is a default.
  std::string where(std::string_view path) const {
    auto it = settings_.origins.find(path);
    return it == settings_.origins.end() || it->second.path.empty() ? std::string(path) : it->second.path;
  }
  void warn(std::string_view path, std::string what) { state_.found.warn(where(path), std::move(what)); }
  void ordered(const std::string &low, double below, const std::string &high, double above, bool may_equal) {
    const auto path = "backpressure." + low, other = "backpressure." + high;
    if (below < above || (may_equal && below == above) || !is_sound(path) || !is_sound(other)) return;
    // Where only the upper one is given, it is the one to be changed.
    const bool upper_given = settings_.origins.count(path) == 0 && settings_.origins.count(other) != 0;
    if (upper_given)
      state_.found.fault(where(other), fmt::format("{}", above),
                         fmt::format("{} {} ({})", may_equal ? "at least" : "more than", low, below));
    else
      state_.found.fault(where(path), fmt::format("{}", below),
                         fmt::format("{} {} ({})", may_equal ? "at most" : "less than", high, above));
  }

  reading_state &state_;
  const gateway_settings &settings_;
};

}  // namespace

void check_settings(reading_state &state, bool warn) {
  checker check(state);
  check.faults();
  if (warn) check.warnings();
}

}  // namespace corbel::detail
