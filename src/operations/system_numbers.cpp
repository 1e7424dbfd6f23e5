#include "json/document.hpp"
#include "operations/system_body.hpp"
#include "queue/fleet/capacity.hpp"

#include <set>

namespace corbel {

namespace {

double percent(double part, double whole) { return whole > 0 ? 100 * part / whole : 0; }

scale_signals signals_of(const std::vector<const seen_process *> &all) {
  scale_signals s;
  std::set<std::string> instances;
  double load = 0, capacity = 0;
  for (auto *p : all) {
    if (p->draining) continue;
    instances.insert(p->instance);
    load += static_cast<double>(p->load);
    capacity += static_cast<double>(p->capacity);
  }
  s.instances = static_cast<std::int64_t>(instances.size());
  s.utilization_percent = percent(load, capacity);
  return s;
}

/// {"async": {"in_use": 1, "total": 3 ...}, ...} anywhere below; sums of what it says.
void add_pools(const json_value &v, system_sample &to) {
  auto object = v.object();
  if (!object) return;
  if (auto used = object->number("in_use")) {
    to.pool_used += *used;
    if (auto open = object->number("total"))
      to.pool_open += *open;
    else if (auto size = object->number("size"))
      to.pool_open += *size;
    return;
  }
  for (auto &[name, member] : object->members()) add_pools(member, to);
}

}  // namespace

system_numbers system_numbers::of(const system_view &view, const gateway_settings &settings) {
  system_numbers n;
  const auto &b = settings.backpressure;
  n.queued = view.queue.ready + view.queue.in_flight;
  for (auto *p : view.of("proc"))
    if (p->healthy() && !p->draining)
      n.capacity += static_cast<std::int64_t>(detail::held_by_one(p->capacity, b.capacity_buffer, b.queue_depth_multiplier));
  n.thresholds = settings.thresholds(n.capacity);
  n.pressure = n.capacity > 0 ? static_cast<double>(n.queued) / static_cast<double>(n.capacity) : n.queued > 0 ? 1.0 : 0.0;
  for (auto &[who, s] : view.streams) n.streams += s.count, n.sessions += s.sessions, n.max_streams += s.max;
  for (auto &e : view.throttled) {
    n.rate_limit_429 += e.http_status == 429;
    n.backpressure_503 += e.http_status == 503;
  }
  n.proc = signals_of(view.of("proc"));
  n.proc.pressure = n.pressure;
  n.proc.queued = view.queue.ready;
  n.ingress = signals_of(view.of("rest"));
  n.ingress.streams_percent = percent(static_cast<double>(n.streams), static_cast<double>(n.max_streams));
  return n;
}

system_sample system_numbers::sample(const system_view &view) const {
  system_sample s{.at = view.seconds()};
  s.depth = static_cast<double>(view.queue.ready);
  s.in_flight = static_cast<double>(view.queue.in_flight);
  s.dead = static_cast<double>(view.queue.dead);
  s.pressure = pressure;
  s.streams = static_cast<double>(streams);
  for (auto *p : view.of("proc")) s.load += static_cast<double>(p->load), s.capacity += static_cast<double>(p->capacity);
  for (auto &p : view.processes)
    if (auto document = json_document::parse(p.metadata)) add_pools(document->root(), s);
  return s;
}

void write_system_metrics(detail::metrics_writer &to, const system_view &view, const system_numbers &n,
                          const system_history &history) {
  auto gauge = [&](const char *name, double value) {
    to.gauge(std::string("kdcube_") + name, "As the platform's metrics service tells it.", {}, value);
  };
  auto d = [](auto x) { return static_cast<double>(x); };
  gauge("ingress_sse_total_connections", d(n.streams));
  gauge("ingress_sse_max_connections", d(n.max_streams));
  gauge("ingress_sse_sessions", d(n.sessions));
  gauge("ingress_sse_saturation_percent", n.ingress.streams_percent);
  gauge("ingress_sse_saturation_ratio", n.ingress.streams_percent / 100);
  gauge("proc_queue_total", d(n.queued));
  gauge("proc_queue_utilization_percent", 100 * n.pressure);
  gauge("proc_queue_utilization_ratio", n.pressure);
  gauge("proc_queue_pressure_ratio", n.pressure);
  gauge("proc_pressure_ratio_percent", 100 * n.pressure);
  gauge("proc_queue_depth_1m", history.over(&system_sample::depth, view.seconds(), 60).mean);
  gauge("proc_queue_pressure_ratio_1m", history.over(&system_sample::pressure, view.seconds(), 60).mean);
  gauge("proc_queue_wait_p95_ms", latency_window::of(view.queue_wait, view.seconds(), 60).p95);
  gauge("proc_exec_p95_ms", latency_window::of(view.exec, view.seconds(), 60).p95);
  gauge("throttling_rate_limit_429", d(n.rate_limit_429));
  gauge("throttling_backpressure_503", d(n.backpressure_503));
  for (auto &[type, json] : view.analytics) {
    auto document = json_document::parse(json);
    auto object = document ? document->root().object() : result<json_object>(document.error());
    if (!object || type == "external") continue;
    if (auto wait = object->number("avg_wait_time"))
      to.gauge("kdcube_proc_queue_avg_wait_seconds_" + type, "As the platform's metrics service tells it.", {}, *wait);
  }
}

}  // namespace corbel
