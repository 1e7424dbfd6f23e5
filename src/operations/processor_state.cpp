#include "operations/processor_state.hpp"

#include "json/writer.hpp"

#include <algorithm>

namespace corbel {

namespace {

double seconds(processor_state::clock::duration d) { return std::chrono::duration<double>(d).count(); }

}  // namespace

std::uint64_t processor_state::claimed(task t) {
  tasks_.emplace(++last_, std::move(t));
  return last_;
}

void processor_state::started(std::uint64_t number) {
  if (auto at = tasks_.find(number); at != tasks_.end()) at->second.started_at = clock::now();
  activity(number, "started");
}

void processor_state::activity(std::uint64_t number, std::string kind) {
  auto at = tasks_.find(number);
  if (at == tasks_.end()) return;
  at->second.last_activity_at = clock::now();
  at->second.last_activity_kind = std::move(kind);
  ++at->second.activity_count;
}

std::string processor_state::json(clock::time_point now) const {
  std::string out;
  json_writer w(out);
  double oldest = 0, idlest = 0;
  w.begin_object().member("current_load", load()).member("active_tasks", load()).key("active_task_details").begin_array();
  for (const auto &[number, t] : tasks_) {
    const bool started = t.started_at != clock::time_point();
    const double age = seconds(now - (started ? t.started_at : t.claimed_at)), idle = seconds(now - t.last_activity_at);
    oldest = std::max(oldest, age);
    idlest = std::max(idlest, idle);
    w.begin_object().member("task_id", t.task_id).member("queue_key", t.queue_key);
    w.member("inflight_queue_key", t.inflight_key).member("started_execution", started).key("started_at");
    started ? w.value(seconds(t.started_at.time_since_epoch())) : w.value(nullptr);
    w.member("claimed_at", seconds(t.claimed_at.time_since_epoch()));
    w.member("last_activity_at", seconds(t.last_activity_at.time_since_epoch()));
    w.member("last_activity_kind", t.last_activity_kind).member("activity_count", t.activity_count);
    w.member("wall_age_sec", age).member("idle_age_sec", idle).member("bundle_id", t.bundle_id).end_object();
  }
  w.end_array().member("draining", draining_).member("host_draining", false).member("host_draining_since", nullptr);
  w.member("accepting_new_tasks", !draining_).member("scheduler_backend", "legacy_lists");
  w.member("oldest_active_task_wall_age_sec", oldest).member("max_active_task_idle_age_sec", idlest);
  w.key("last_queue_error").text_or_null(last_error_).member("stale_interrupted_count", interrupted_).end_object();
  return out;
}

void processor_state::add_route(http_router &router, const host_identity &who) const {
  auto handler = [this, who](const http_request &) -> boost::asio::awaitable<http_response> {
    http_response r;
    json_writer w(r.body);
    w.begin_object().member("status", "ok").member("service", "chat-proc").member("instance_id", who.instance);
    w.key("processor").raw(json()).end_object();
    co_return r;
  };
  router.add("GET", "/monitoring/processor", {.handler = std::move(handler), .while_draining = true});
}

}  // namespace corbel
