#include "operations/health_body.hpp"

#include "json/writer.hpp"

#include <unistd.h>

namespace corbel {

http_response ingress_health(const host_identity &who, bool draining, std::chrono::system_clock::time_point now) {
  http_response r{.status = draining ? 503u : 200u};
  json_writer w(r.body);
  w.begin_object().member("status", draining ? "draining" : "healthy").member("draining", draining);
  w.member("timestamp", std::chrono::duration<double>(now.time_since_epoch()).count());
  w.member("instance_id", who.instance).member("port", who.port);
  w.member("socketio_status", "disabled").member("sse_status", "enabled").end_object();
  return r;
}

http_response metrics_health(bool draining, std::chrono::system_clock::time_point now) {
  http_response r{.status = draining ? 503u : 200u};
  json_writer w(r.body);
  w.begin_object().member("status", draining ? "draining" : "ok");
  w.member("ts", std::chrono::duration<double>(now.time_since_epoch()).count()).end_object();
  return r;
}

http_response proc_health(const host_identity &who, bool draining) {
  http_response r{.status = draining ? 503u : 200u};
  json_writer w(r.body);
  auto nothing = [&](std::string_view key) { w.key(key).begin_object().end_object(); };
  w.begin_object().member("status", draining ? "draining" : "ok").member("draining", draining);
  w.member("service", "chat-proc").member("instance_id", who.instance).member("bundles_git_ready", true);
  nothing("bundles_git_errors");
  w.member("bundles_preload_ready", true);
  nothing("bundles_preload_errors");
  for (auto key : {"bundles_preload_skipped_locked", "bundles_preload_skipped_claimed", "bundles_preload_skipped_done"})
    w.member(key, 0);
  w.member("bundles_preload_started_at", nullptr).member("bundles_preload_finished_at", nullptr);
  nothing("bundles_preload_status");
  w.end_object();
  r.fields = {{"X-KDCube-Proc-Instance", who.instance},
              {"X-KDCube-Worker-Pid", std::to_string(::getpid())},
              {"X-KDCube-Bundles-Preload-Ready", "1"}};
  return r;
}

}  // namespace corbel
