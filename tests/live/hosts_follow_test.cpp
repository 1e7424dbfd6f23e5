/// Hosts follow the gateway document: what an update says counts at once, in both directions.

#include "live/hosts_fixture.hpp"

#include <doctest/doctest.h>

using namespace corbel;
using namespace corbel::test;
using namespace std::chrono_literals;

namespace {

constexpr char index_of_procs[] = "home:default-project:kdcube:system:capacity:process-index:chat:proc";

void update(redis_server &redis, const std::string &document) {
  const auto message = R"({"tenant": "home", "project": "default-project", "ts": 1.5, "config": )" + document + "}";
  REQUIRE(until(10s, [&] {  // who listens has just been started
    return redis.command({"PUBLISH", "home:default-project:kdcube:config:gateway:update", message}).number > 0;
  }));
}

/// A process that is there for ever and takes nothing.
void pretend_proc(redis_server &redis, int capacity) {
  redis.command({"ZADD", index_of_procs, "9999999999", "other"});
  redis.command({"SET", "other",
                 R"({"service_type": "chat", "service_name": "proc", "current_load": 0, "max_capacity": )" +
                     std::to_string(capacity) +
                     R"(, "last_heartbeat": 9999999999.5, "health_status": "ServiceHealth.HEALTHY"})"});
}

/// Puts one message, and says why it was refused; "" when it was not.
std::string put(const host &ingress) {
  static int count = 0;
  const auto n = std::to_string(++count);
  auto r = http_post(ingress.port, "/api/chat/messages", plain("s" + n, "x", "e" + n));
  return r.status == 200 ? "" : json_at(r.body, "detail.reason");
}

/// One process with one handler holds so many.
std::string multiplier(int n, const std::string &more = {}) {
  return R"({"backpressure": {"queue_depth_multiplier": )" + std::to_string(n) + "}" + more + "}";
}

std::string sizes(int proc) {
  return R"(, "limits": {"proc": {"max_queue_size": )" + std::to_string(proc) + R"(}, "ingress": {"max_queue_size": 1}})";
}

}  // namespace

TEST_CASE("ingress refuses and takes by the numbers of the document that counts now") {
  redis_server redis;
  pretend_proc(redis, 1);
  host ingress("ingress", redis.url(), {}, {"GATEWAY_CONFIG_JSON=" + multiplier(4)});
  for (int i = 0; i < 3; ++i) CHECK(put(ingress) == "");  // floor(4 x 0.95)
  CHECK(put(ingress) == "hard_limit_exceeded");
  update(redis, multiplier(6));
  CHECK(until(10s, [&] { return put(ingress) == ""; }));
  CHECK(until(10s, [&] { return put(ingress) == "hard_limit_exceeded"; }));
  CHECK(redis.command({"LLEN", "corbel:queue"}).number == 5);
  const auto refused = http_post(ingress.port, "/api/chat/messages", plain("t", "x", "t"));
  CHECK(json_at(refused.body, "detail.queue_stats.theoretical_thresholds.hard_limit") == "5");

  // max_queue_size of the component that works the queue, which is not its own.
  for (int most = 6; most < 8; ++most) {
    update(redis, multiplier(100, sizes(most)));
    CHECK(until(10s, [&] { return put(ingress) == ""; }));
    CHECK(put(ingress) == "queue_size_exceeded");
    CHECK(redis.command({"LLEN", "corbel:queue"}).number == most);
  }

  // Both ways: as few as before, and, where the document says nothing of it, no admission, as at a start.
  update(redis, multiplier(4));
  CHECK(until(10s, [&] { return put(ingress) == "hard_limit_exceeded"; }));
  update(redis, R"({"pools": {"redis_max_connections": 32}})");
  CHECK(until(10s, [&] { return put(ingress) == ""; }));
  for (int i = 0; i < 5; ++i) CHECK(put(ingress) == "");
}

namespace {

std::string heartbeat(redis_server &redis) {
  return redis.command({"GET", redis.command({"ZRANGE", index_of_procs, "0", "-1"}).elements.at(0).text}).text;
}

std::string capacity(int n) {
  return R"({"service_capacity": {"concurrent_requests_per_process": )" + std::to_string(n) + "}}";
}

bool says(redis_server &redis, int capacity) {
  return until(10s, [&] { return json_at(heartbeat(redis), "max_capacity") == std::to_string(capacity); });
}

}  // namespace

TEST_CASE("proc works as many messages at once as the document says now, and tells the fleet so") {
  redis_server redis;
  host proc("proc", redis.url(), {}, {"GATEWAY_CONFIG_JSON=" + capacity(2)});
  REQUIRE(until(10s, [&] { return redis.command({"ZCARD", index_of_procs}).number == 1; }));
  CHECK(says(redis, 2));
  auto handlers = [&](int n) {
    const auto line = R"(corbel_queue_capacity{queue="corbel:queue"} )" + std::to_string(n) + "\n";
    return until(10s, [&] { return http_get(proc.port, "/metrics").body.find(line) != std::string::npos; });
  };
  CHECK(handlers(2));
  update(redis, capacity(7));
  CHECK(says(redis, 7));
  CHECK(handlers(7));
  update(redis, capacity(1));
  CHECK(says(redis, 1));
  CHECK(handlers(1));
}

TEST_CASE("a concurrency that the command line gives stays, whatever the document says") {
  redis_server redis;
  host proc("proc", redis.url(), {"--concurrency", "3"}, {"GATEWAY_CONFIG_JSON=" + capacity(2)});
  REQUIRE(until(10s, [&] { return redis.command({"ZCARD", index_of_procs}).number == 1; }));
  update(redis, capacity(7));
  REQUIRE(until(10s, [&] { return proc.log().find("concurrent_requests_per_process: 2 -> 7") != std::string::npos; }));
  CHECK(says(redis, 3));
}
