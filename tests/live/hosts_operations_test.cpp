/// What an operator asks of hosts that run: probes, the fleet's picture, the operations API, the index of text files.

#include "live/hosts_fixture.hpp"
#include "support/postgres_server.hpp"

#include <corbel/queue.hpp>

#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

using namespace corbel;
using namespace corbel::test;
using namespace std::chrono_literals;

namespace {

wire_response ask(std::uint16_t port, const std::string &method, const std::string &path, const std::string &token = {},
                  const std::string &body = {}) {
  http_wire wire(port);
  wire.send(method + " " + path + " HTTP/1.1\r\nHost: t\r\n" +
            (token.empty() ? "" : "Authorization: Bearer " + token + "\r\n") +
            "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  return wire.response();
}

}  // namespace

TEST_CASE("probes tell of Redis at once, also while it hangs; the platform's body has the parts") {
  redis_server redis;
  host ingress("ingress", redis.url());
  REQUIRE(until(20s, [&] { return http_get(ingress.port, "/readyz").status == 200; }));
  CHECK(http_get(ingress.port, "/livez?verbose").body.ends_with("livez check passed\n"));
  CHECK(json_at(http_get(ingress.port, "/health").body, "parts.runtime.required") == "true");
  redis.pause();
  CHECK(http_get(ingress.port, "/livez").status == 200);
  CHECK(until(30s, [&] { return http_get(ingress.port, "/readyz").status == 503; }));
  CHECK(http_get(ingress.port, "/readyz?verbose").body.find("[-]redis:") != std::string::npos);
  CHECK(ingress.health() == 200);
  redis.resume();
  CHECK(until(30s, [&] { return http_get(ingress.port, "/readyz").status == 200; }));
}

TEST_CASE("the platform's windows of latency: what ingress and proc took, in Redis, in the body and as scalars") {
  redis_server redis;
  host ingress("ingress", redis.url()), proc("proc", redis.url()), metrics("metrics", redis.url());
  for (int i = 0; i < 30; ++i)
    REQUIRE(http_post(ingress.port, "/api/chat/messages", plain("s", "some words", "e" + std::to_string(i))).status == 200);
  auto count = [&](const std::string &path) {
    const auto text = json_at(http_get(metrics.port, "/metrics/combined").body, "system.components." + path + ".1m.count");
    return std::atoi(text.c_str());
  };
  CHECK(until(20s, [&] { return count("ingress.latency.rest_ms") >= 20; }));
  CHECK(until(20s, [&] { return count("proc.latency.queue_wait_ms") >= 20 && count("proc.latency.exec_ms") >= 20; }));
  const auto text = http_get(metrics.port, "/metrics").body;
  CHECK(text.find("\nkdcube_proc_exec_p95_ms ") != std::string::npos);
  CHECK(text.find("\nkdcube_proc_exec_p95_ms 0\n") == std::string::npos);
  CHECK(redis.command({"TTL", "home:default-project:kdcube:metrics:task_exec_ms:proc"}).number > 3600);
}

TEST_CASE("the metrics host shows the fleet in the platform's shapes, for Prometheus and for people") {
  redis_server redis;
  host ingress("ingress", redis.url()), proc("proc", redis.url(), {"--concurrency", "3"});
  host metrics("metrics", redis.url());
  CHECK(json_at(http_get(metrics.port, "/health").body, "status") == "ok");
  auto body = [&] { return http_get(metrics.port, "/metrics/proc/system").body; };
  REQUIRE(until(20s, [&] { return json_at(body(), "components.proc.instance_count") == "1"; }));
  REQUIRE(until(20s, [&] { return json_at(body(), "components.ingress.instance_count") == "1"; }));
  CHECK(json_at(body(), "components.proc.capacity") == "3");
  CHECK(json_at(body(), "components.proc.healthy_processes") == "1");
  CHECK(json_at(body(), "autoscaler.proc.decision") == "hold");
  CHECK(json_at(body(), "queue_stats.capacity_context.accepting_registered") == "true");
  for (auto key : {"components",
                   "autoscaler",
                   "instances",
                   "global_stats",
                   "queue_stats",
                   "enhanced_queue_stats",
                   "backpressure_policy",
                   "queue_analytics",
                   "queue_utilization",
                   "capacity_info",
                   "throttling_stats",
                   "throttling_by_period",
                   "throttling_windows",
                   "recent_throttling_events",
                   "circuit_breakers",
                   "gateway_configuration",
                   "gateway_config_raw",
                   "gateway_config_components",
                   "gateway_config_source",
                   "configuration",
                   "capacity_transparency",
                   "db_connections",
                   "sse_connections",
                   "connection_pools",
                   "timestamp",
                   "redis_info"})
    CHECK(body().find('"' + std::string(key) + "\": ") != std::string::npos);
  CHECK(json_at(http_get(metrics.port, "/metrics/combined").body, "system.redis_info.reachable") == "true");
  CHECK(http_get(metrics.port, "/metrics").body.find("kdcube_proc_queue_total 0") != std::string::npos);
  auto page = http_get(metrics.port, "/");
  CHECK(page.head.find("text/html") != std::string::npos);
  CHECK(page.body.find("proc-1") != std::string::npos);
  CHECK(page.body.find("redis:") != std::string::npos);
  CHECK(page.body.find("<svg") != std::string::npos);
  CHECK(http_post(metrics.port, "/api/events/client", R"({"event_type": "log", "level": "warn", "message": "hm"})").body ==
        R"({"status": "received", "event_type": "log", "level": "warn"})");
  CHECK(http_post(metrics.port, "/api/events/client", "nonsense").status == 400);
  CHECK(http_get(ingress.port, "/monitoring/system").status == 404);  // off without a token
}

TEST_CASE("the operations API: 401 and 403 are told apart, dead messages are listed, brought back and removed") {
  redis_server redis;
  host proc("proc", redis.url(), {}, {"CORBEL_OPERATIONS_TOKEN=sesame"});
  auto status = [&](const std::string &token) { return ask(proc.port, "GET", "/admin/operations/queue", token).status; };
  CHECK(status("") == 401);
  CHECK(status("sesam") == 403);
  CHECK(status("sesame") == 200);
  host ingress("ingress", redis.url(), {}, {"CORBEL_OPERATIONS_TOKEN=sesame"});
  CHECK(ask(ingress.port, "GET", "/monitoring/system", "sesame").status == 200);
  CHECK(ask(ingress.port, "GET", "/monitoring/system").status == 401);
  CHECK(json_at(ask(proc.port, "GET", "/admin/operations/configuration", "sesame").body, "tenant").size() > 0);
  CHECK(ask(proc.port, "GET", "/admin/operations/pools", "sesame").status == 200);
  CHECK(json_at(ask(proc.port, "GET", "/admin/operations/health", "sesame").body, "parts.runtime.required") == "true");
  CHECK(ask(proc.port, "GET", "/admin/operations/dead", "sesame").body == R"({"messages": [], "next": null})");
  CHECK(ask(proc.port, "GET", "/admin/operations/dead?count=x", "sesame").status == 400);
  CHECK(ask(proc.port, "POST", "/admin/operations/dead/requeue", "sesame", R"({"all": true})").body ==
        R"({"status": "ok", "count": 0})");
  CHECK(ask(proc.port, "POST", "/admin/operations/dead/purge", "sesame", R"({"numbers": []})").status == 400);
  CHECK(ask(proc.port, "POST", "/admin/operations/log-level", "sesame", R"({"level": "loud"})").status == 400);
  CHECK(ask(proc.port, "POST", "/admin/operations/log-level", "sesame", R"({"level": "debug", "part": "redis"})").status ==
        200);
  {
    runtime rt({.level = log_level::off});
    redis_pool pool(rt, {.url = redis.url()});
    producer queue(pool, {.name = "corbel:queue"});
    std::vector<put_item> items(2, {.body = "no task of the chat"});
    queue.async_put(std::move(items), {}, boost::asio::use_future).get().value();
  }
  auto dead = [&] { return ask(proc.port, "GET", "/admin/operations/dead", "sesame").body; };
  REQUIRE(
      until(20s, [&] { return json_at(ask(proc.port, "GET", "/admin/operations/queue", "sesame").body, "dead") == "2"; }));
  CHECK(dead().find("no task of the chat") != std::string::npos);
  CHECK(dead().find("\"history\": [") != std::string::npos);
  CHECK(ask(proc.port, "POST", "/admin/operations/dead/requeue", "sesame", R"({"all": true})").body ==
        R"({"status": "ok", "count": 2})");
  REQUIRE(
      until(20s, [&] { return json_at(ask(proc.port, "GET", "/admin/operations/queue", "sesame").body, "dead") == "2"; }));
  CHECK(ask(proc.port, "POST", "/admin/operations/dead/purge", "sesame", R"({"all": true})").body ==
        R"({"status": "ok", "count": 2})");
  CHECK(dead() == R"({"messages": [], "next": null})");
  CHECK(http_post(ingress.port, "/api/chat/messages", plain("s", "some words", "e")).status == 200);
  CHECK(until(20s, [&] {
    return ask(proc.port, "GET", "/admin/operations/bundles", "sesame").body.find("\"turns\": 1") != std::string::npos;
  }));
  CHECK(until(10s, [&] { return proc.log().find("GET /admin/operations/queue") != std::string::npos; }));
  CHECK(ask(proc.port, "POST", "/admin/operations/drain", "sesame").status == 202);
  CHECK(proc.process.wait_for(30s) == 0);
}

TEST_CASE("a request's trace reaches the worker's log line") {
  redis_server redis;
  host ingress("ingress", redis.url()), proc("proc", redis.url());
  http_wire wire(ingress.port);
  wire.post("/api/chat/messages", plain("s", "some words", "e"),
            "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n");
  CHECK(wire.response().status == 200);
  CHECK(until(20s, [&] { return proc.log().find("0af7651916cd43dd8448eb211c80319c") != std::string::npos; }));
}

TEST_CASE("kb indexes what is in its folder, finds it, and tells the platform's statistics") {
  redis_server redis;
  postgres_server pg;
  temp_dir folder;
  std::ofstream(folder.file("one.txt")) << "A corbel carries what stands above it.";
  std::ofstream(folder.file("two.md")) << std::string("broken \xFF bytes and \0 too", 24);
  std::ofstream(folder.file("ignored.bin")) << "no text";
  host kb("kb", redis.url(), {},
          {"CORBEL_KB_FOLDER=" + folder.path().string(), "PGHOST=127.0.0.1", "PGPORT=" + std::to_string(pg.port()),
           "PGUSER=postgres", "PGDATABASE=postgres"});
  auto health = [&] { return http_get(kb.port, "/api/kb/health").body; };
  CHECK(until(30s, [&] { return json_at(health(), "kb_stats.total_resources") == "2"; }));
  CHECK(json_at(health(), "status") == "healthy");
  CHECK(json_at(health(), "kb_stats.resources_by_type.md") == "1");
  CHECK(json_at(http_get(kb.port, "/api/kb/health/process").body, "health_status") == "healthy");
  CHECK(http_get(kb.port, "/api/kb/search?q=carries").body.find("one.txt") != std::string::npos);
  CHECK(http_get(kb.port, "/api/kb/search?q=nowhere").body == R"({"results": []})");
  CHECK(http_get(kb.port, "/api/kb/search").status == 400);
}
