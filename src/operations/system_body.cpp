#include "operations/system_body.hpp"

#include "json/writer.hpp"

#include <map>

namespace corbel {

namespace {

using process_list = std::vector<const seen_process *>;
constexpr std::pair<const char *, double> windows[] = {{"1m", 60}, {"15m", 900}, {"1h", 3600}};

class body_writer {
 public:
  body_writer(std::string &out, const system_view &view, const gateway_settings &settings, const system_history &history)
      : w_(out), view_(view), settings_(settings), history_(history), n_(system_numbers::of(view, settings)) {}

  void write() {
    w_.begin_object().key("components").begin_object();
    component("ingress", "rest");
    component("proc", "proc");
    w_.end_object().key("autoscaler").begin_object();
    advice("proc", advise_proc(n_.proc), n_.proc);
    advice("ingress", advise_ingress(n_.ingress), n_.ingress);
    w_.end_object().key("instances").begin_object();
    for (auto service : {"rest", "proc"})
      for (auto &[instance, processes] : by_instance(view_.of(service))) w_.key(instance + ":" + service), one(processes);
    w_.end_object();
    queues();
    throttling();
    configuration();
    connections();
    w_.member("timestamp", view_.seconds()).key("redis_info").begin_object().member("reachable", view_.error.empty());
    w_.key("error").text_or_null(view_.error).end_object().end_object();
  }

 private:
  static std::map<std::string, process_list> by_instance(const process_list &all) {
    std::map<std::string, process_list> found;
    for (auto *p : all) found[p->instance].push_back(p);
    return found;
  }

  static double percent(std::int64_t part, std::int64_t whole) {
    return whole > 0 ? 100.0 * static_cast<double>(part) / static_cast<double>(whole) : 0;
  }

  /// Sums of some processes, as members.
  void sums(const process_list &all) {
    std::int64_t load = 0, capacity = 0, healthy = 0;
    for (auto *p : all) load += p->load, capacity += p->capacity, healthy += p->healthy();
    w_.member("processes", all.size()).member("healthy_processes", healthy).member("capacity", capacity);
    w_.member("load", load).member("utilization_percent", percent(load, capacity));
  }

  void one(const process_list &all) {
    double oldest = 0;
    bool draining = true;
    std::map<std::string, int> statuses;
    for (auto *p : all) {
      oldest = std::max(oldest, view_.seconds() - p->last);
      draining = draining && p->draining;
      ++statuses[p->status];
    }
    w_.begin_object().member("instance_id", all.front()->instance);
    sums(all);
    w_.key("statuses").begin_object();
    for (auto &[status, count] : statuses) w_.member(status, count);
    w_.end_object().member("max_age_seconds", oldest).member("draining", draining).end_object();
  }

  void window(const char *name, double system_sample::*what) {
    w_.key(name).begin_object();
    for (auto &[label, seconds] : windows) {
      const auto a = history_.over(what, view_.seconds(), seconds);
      w_.key(label).begin_object().member("avg", a.mean).member("max", a.most).member("count", a.count).end_object();
    }
    w_.end_object();
  }

  void component(const char *name, const char *service) {
    const auto all = view_.of(service);
    const auto instances = by_instance(all);
    const auto &capacity = settings_.service_capacity;
    const auto expected = static_cast<std::int64_t>(instances.size()) * capacity.processes_per_instance;
    w_.key(name).begin_object().member("service_type", "chat").member("service_name", service);
    w_.member("instance_count", instances.size()).member("expected_processes", expected);
    w_.member("actual_processes", all.size());
    w_.member("missing_processes", std::max<std::int64_t>(0, expected - static_cast<std::int64_t>(all.size())));
    sums(all);
    w_.key("configured").begin_object().member("processes_per_instance", capacity.processes_per_instance);
    w_.member("concurrent_requests_per_process", capacity.concurrent_requests_per_process).end_object();
    w_.key("pools").begin_object();
    for (auto *p : all) w_.key(p->instance + ":" + std::to_string(p->pid)).raw(p->metadata);
    w_.end_object();
    w_.key("pools_aggregate").begin_object();
    window("in_use_windows", &system_sample::pool_used);
    w_.end_object().key("instances").begin_array();
    for (auto &[id, processes] : instances) one(processes);
    w_.end_array();
    if (std::string_view(service) == "rest") {
      streams("sse");
      w_.key("latency").begin_object();
      latency("rest_ms", view_.rest);
    } else {
      queue_of_proc();
      w_.key("latency").begin_object();
      latency("queue_wait_ms", view_.queue_wait);
      latency("exec_ms", view_.exec);
    }
    w_.end_object().end_object();
  }

  void latency(const char *name, const std::vector<latency_sample> &samples) {
    w_.key(name).begin_object();
    for (auto &[label, seconds] : windows) {
      const auto l = latency_window::of(samples, view_.seconds(), seconds);
      w_.key(label).begin_object().member("count", l.count).member("p50", l.p50).member("p95", l.p95);
      w_.member("p99", l.p99).member("max", l.most).end_object();
    }
    w_.end_object();
  }

  void streams(const char *name) {
    w_.key(name).begin_object().member("total_connections", n_.streams).member("max_connections", n_.max_streams);
    w_.member("sessions", n_.sessions).member("utilization_percent", n_.ingress.streams_percent);
    window("windows", &system_sample::streams);
    w_.end_object();
  }

  void thresholds() {
    const auto &t = n_.thresholds;
    w_.key("thresholds").begin_object().member("anonymous_threshold", t.threshold_anonymous);
    w_.member("registered_threshold", t.threshold_registered).member("paid_threshold", t.threshold_paid);
    w_.member("hard_limit_threshold", t.threshold_hard).end_object();
  }

  /// Calls each with a user type and whether it is admitted now.
  template <class F>
  void accepting(F each) {
    const auto &t = n_.thresholds;
    each("anonymous", n_.queued < t.threshold_anonymous);
    each("registered", n_.queued < t.threshold_registered);
    each("paid", n_.queued < t.threshold_paid);
    each("privileged", n_.queued < t.threshold_hard);
  }

  void queue_of_proc() {
    w_.key("queue").begin_object().member("total", n_.queued).member("pressure_ratio", n_.pressure);
    thresholds();
    w_.key("accepting").begin_object();
    accepting([&](const char *type, bool yes) { w_.member(type, yes); });
    w_.end_object().key("windows").begin_object();
    window("pressure_ratio", &system_sample::pressure);
    window("depth", &system_sample::depth);
    w_.end_object().end_object();
  }

  void advice(const char *name, const scale_advice &a, const scale_signals &s) {
    w_.key(name).begin_object().member("decision", a.decision).member("scale_up", a.decision == "scale_up");
    w_.member("scale_down", a.decision == "scale_down").key("reasons").begin_array();
    for (auto &r : a.reasons) w_.value(r);
    w_.end_array().key("signals").begin_object().member("instances", s.instances).member("pressure_ratio", s.pressure);
    w_.member("queue_size", s.queued).member("utilization_percent", s.utilization_percent);
    w_.member("sse_percent", s.streams_percent).end_object().end_object();
  }

  void queues() {
    const auto &q = view_.queue;
    w_.key("global_stats").begin_object().member("ready", q.ready).member("in_flight", q.in_flight);
    w_.member("delayed", q.delayed).member("parked", q.parked).member("dead", q.dead);
    w_.member("oldest_age_seconds", std::chrono::duration<double>(q.oldest_age).count()).end_object();
    w_.key("queue_stats").begin_object();
    for (auto type : {"anonymous", "registered", "paid", "privileged"}) w_.member(type, ready(type));
    w_.member("total", q.ready).key("capacity_context").begin_object();
    w_.member("base_capacity_per_instance", settings_.derived().total_capacity_per_instance);
    w_.member("alive_instances", n_.proc.instances).member("instance_count", n_.proc.instances);
    w_.member("weighted_max_capacity", n_.capacity).member("pressure_ratio", n_.pressure);
    accepting([&](const char *type, bool yes) { w_.member(std::string("accepting_") + type, yes); });
    thresholds();
    w_.end_object().key("analytics").begin_object();
    for (auto &[type, json] : view_.analytics) w_.key(type).raw(json);
    w_.end_object().end_object();
    w_.key("enhanced_queue_stats").raw(q.json());
    w_.key("backpressure_policy").begin_object().member("capacity_buffer", settings_.backpressure.capacity_buffer);
    w_.member("queue_depth_multiplier", settings_.backpressure.queue_depth_multiplier);
    w_.member("capacity_source_component", settings_.backpressure.capacity_source_component);
    thresholds();
    w_.end_object().key("queue_analytics").begin_object();
    for (auto &[type, json] : view_.analytics) w_.key(type).raw(json);
    w_.end_object().member("queue_utilization", 100 * n_.pressure);
    w_.key("capacity_info").begin_object().member("actual_capacity", n_.capacity).member("queued", n_.queued);
    w_.member("healthy_processes", n_.proc.instances).end_object();
  }

  std::int64_t ready(std::string_view lane) const {
    for (auto &l : view_.queue.lanes)
      if (l.name == lane) return l.ready;
    return 0;
  }

  void throttled_since(const char *label, double seconds) {
    std::int64_t limited = 0, pressed = 0;
    for (auto &e : view_.throttled) {
      if (e.timestamp < view_.seconds() - seconds) continue;
      limited += e.http_status == 429;
      pressed += e.http_status == 503;
    }
    w_.key(label).begin_object().member("rate_limit_429", limited).member("backpressure_503", pressed);
    w_.member("total_throttled", limited + pressed).end_object();
  }

  void throttling() {
    throttled_since("throttling_stats", 24 * 3600);
    w_.key("throttling_by_period").begin_object();
    for (auto [label, hours] : {std::pair("1h", 1), {"3h", 3}, {"6h", 6}, {"12h", 12}, {"24h", 24}})
      throttled_since(label, hours * 3600.0);
    w_.end_object().key("throttling_windows").begin_object();
    for (auto &[label, seconds] : windows) throttled_since(label, seconds);
    w_.end_object().key("recent_throttling_events").begin_array();
    for (std::size_t i = 0; i < std::min<std::size_t>(view_.throttled.size(), 50); ++i) w_.raw(view_.throttled[i].json);
    w_.end_array().key("circuit_breakers").begin_object().key("summary").begin_object().member("total", 0);
    w_.member("open", 0).end_object().key("circuits").begin_object().end_object().end_object();
  }

  void configuration() {
    const auto shown = settings_json(settings_);
    w_.key("gateway_configuration").raw(shown).key("gateway_config_raw").value(nullptr);
    w_.key("gateway_config_components").begin_object().key(settings_.component).raw(shown).end_object();
    w_.key("gateway_config_source").begin_object().end_object().key("configuration").raw(shown);
    const auto d = settings_.derived();
    w_.key("capacity_transparency").begin_object().member("total_concurrent", d.total_concurrent);
    w_.member("effective_concurrent", d.effective_concurrent).member("queue_capacity", d.queue_capacity);
    w_.member("total_capacity_per_instance", d.total_capacity_per_instance).end_object();
  }

  void connections() {
    const auto planned = settings_.connections();
    w_.key("db_connections").begin_object().member("pg_conns_per_instance", planned.pg_conns_per_instance).end_object();
    streams("sse_connections");
    const auto used = history_.over(&system_sample::pool_used, view_.seconds(), 60);
    const auto open = history_.over(&system_sample::pool_open, view_.seconds(), 60);
    w_.key("connection_pools").begin_object().member("in_use_1m", used.mean).member("open_1m", open.mean).end_object();
  }

  json_writer w_;
  const system_view &view_;
  const gateway_settings &settings_;
  const system_history &history_;
  const system_numbers n_;
};

}  // namespace

std::string system_body(const system_view &view, const gateway_settings &settings, const system_history &history) {
  std::string out;
  body_writer(out, view, settings, history).write();
  return out;
}

}  // namespace corbel
