#include "operations/health_body.hpp"

#include "json/writer.hpp"

#include <algorithm>
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

namespace {

const char *preload_status(const bundle_status &b) {
  return b.state == bundle_state::ready ? "succeeded" : b.state == bundle_state::loading ? "running" : "failed";
}

void write_bundle(json_writer &w, const bundle_status &b) {
  w.key(b.id).begin_object().member("status", preload_status(b)).key("path").text_or_null(b.path);
  w.key("git_commit").text_or_null(b.commit).member("attempt", b.failures).key("error").text_or_null(b.why.message());
  w.end_object();
}

}  // namespace

http_response proc_health(const host_identity &who, bool draining, std::span<const bundle_status> bundles) {
  auto is_loading = [](auto &b) { return b.state == bundle_state::loading; };
  auto has_failed = [](auto &b) { return bool(b.why); };
  const bool loaded = std::ranges::none_of(bundles, is_loading);
  const bool good = loaded && std::ranges::none_of(bundles, has_failed);
  http_response r{.status = draining || !good ? 503u : 200u};
  json_writer w(r.body);
  w.begin_object().member("status", draining ? "draining" : good ? "ok" : "not_ready").member("draining", draining);
  w.member("service", "chat-proc").member("instance_id", who.instance).member("bundles_git_ready", good);
  w.key("bundles_git_errors").begin_object();
  for (auto &b : bundles)
    if (b.why) w.member(b.id, b.why.message());
  w.end_object().member("bundles_preload_ready", loaded).key("bundles_preload_errors").begin_object().end_object();
  for (auto key : {"bundles_preload_skipped_locked", "bundles_preload_skipped_claimed", "bundles_preload_skipped_done"})
    w.member(key, 0);
  w.member("bundles_preload_started_at", nullptr).member("bundles_preload_finished_at", nullptr);
  w.key("bundles_preload_status").begin_object();
  for (auto &b : bundles) write_bundle(w, b);
  w.end_object().end_object();
  r.fields = {{"X-KDCube-Proc-Instance", who.instance},
              {"X-KDCube-Worker-Pid", std::to_string(::getpid())},
              {"X-KDCube-Bundles-Preload-Ready", loaded ? "1" : "0"}};
  return r;
}

}  // namespace corbel
