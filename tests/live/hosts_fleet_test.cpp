/// What hosts say of themselves and of each other: heartbeats, admission, the platform's layout.

#include "live/hosts_fixture.hpp"
#include "support/tcp_gate.hpp"

#include <corbel/queue.hpp>

#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

using namespace corbel;
using namespace corbel::test;
using namespace std::chrono_literals;

namespace {

constexpr char index_of_procs[] = "home:default-project:kdcube:system:capacity:process-index:chat:proc";
const std::string chat_queue = "home:default-project:kdcube:chat:prompt:queue:";
/// A process with one handler holds four; three of them are the hard limit.
constexpr char small_fleet[] = R"(GATEWAY_CONFIG_JSON={"service_capacity": {"concurrent_requests_per_process": 1},
  "backpressure": {"capacity_buffer": 0.2, "queue_depth_multiplier": 4}})";

long long processes(redis_server &redis) {
  long long alive = 0;
  for (auto &member : redis.command({"ZRANGE", index_of_procs, "0", "-1"}).elements)
    alive += redis.command({"EXISTS", member.text}).number;
  return alive;
}

}  // namespace

TEST_CASE("proc tells its capacity, its pools and what it has in hand; ingress that it is there") {
  redis_server redis;
  host ingress("ingress", redis.url()), proc("proc", redis.url(), {"--concurrency", "7"});
  REQUIRE(until(10s, [&] { return processes(redis) == 1; }));
  const auto key = redis.command({"ZRANGE", index_of_procs, "0", "-1"}).elements.at(0).text;
  CHECK(key == "home:default-project:kdcube:heartbeat:process:proc-1:chat:proc:" + std::to_string(proc.process.pid()));
  const auto said = redis.command({"GET", key}).text;
  CHECK(json_at(said, "instance_id") == "proc-1");
  CHECK(json_at(said, "max_capacity") == "7");
  CHECK(json_at(said, "port") == std::to_string(proc.port));
  CHECK(json_at(said, "health_status") == "ServiceHealth.HEALTHY");
  CHECK(json_at(said, "metadata.pools.redis.async.in_use").find("missing") == std::string::npos);
  CHECK(json_at(said, "metadata.processor.accepting_new_tasks") == "true");
  const auto shown = http_get(proc.port, "/monitoring/processor");
  CHECK(shown.status == 200);
  CHECK(json_at(shown.body, "service") == "chat-proc");
  CHECK(json_at(shown.body, "processor.current_load") == "0");
  CHECK(json_at(shown.body, "processor.draining") == "false");
  CHECK(until(10s, [&] {
    return redis.command({"ZCARD", "home:default-project:kdcube:system:capacity:process-index:chat:rest"}).number == 1;
  }));
}

TEST_CASE("at SIGTERM proc leaves the fleet at once, and says that it drains until it ends") {
  redis_server redis;
  host proc("proc", redis.url(), {"--drain-notice-ms", "3000"});
  REQUIRE(until(10s, [&] { return processes(redis) == 1; }));
  const auto key = redis.command({"ZRANGE", index_of_procs, "0", "-1"}).elements.at(0).text;
  proc.process.signal(SIGTERM);
  CHECK(until(1s, [&] { return redis.command({"ZCARD", index_of_procs}).number == 0; }));
  CHECK(redis.command({"EXISTS", key}).number == 0);
  CHECK(proc.process.wait_for(20s) == 0);
  CHECK(redis.command({"ZCARD", "home:default-project:corbel:draining:index"}).number == 0);
}

TEST_CASE("ingress refuses what the fleet cannot hold, in the platform's words, and takes again when it can") {
  redis_server redis;
  const std::vector<std::string> document{small_fleet};
  host ingress("ingress", redis.url(), {}, document);
  auto stream = sse_client::of(ingress.port, "s", "me");
  CHECK(stream.next().event == "ready");
  auto post = [&](int i) {
    return http_post(ingress.port, "/sse/chat?stream_id=me",
                     R"({"external_events": [{"event_id": "e)" + std::to_string(i) +
                         R"(", "type": "event.user.prompt", "payload": {"event": {"text": "x"}}}]})");
  };
  auto none = post(0);
  CHECK(none.status == 503);
  CHECK(none.head.find("Retry-After: 30\r\n") != std::string::npos);
  CHECK(json_at(none.body, "detail.error_type") == "queue.enqueue_rejected");
  CHECK(json_at(none.body, "detail.reason") == "no_healthy_processes");
  CHECK(json_at(none.body, "detail.retry_after") == "30");
  CHECK(json_at(none.body, "detail.queue_stats.healthy_processes") == "0");
  auto told = stream.next();
  CHECK(told.event == "chat_service");
  CHECK(json_at(told.data, "type") == "queue.enqueue_rejected");
  CHECK(json_at(told.data, "data.reason") == "no_healthy_processes");
  CHECK(json_at(told.data, "data.http_status") == "503");
  CHECK(json_at(told.data, "route") == "chat_service");

  // A process that takes nothing; a native queue knows no user types, so the hard limit counts.
  redis.command({"ZADD", index_of_procs, "9999999999", "other"});
  redis.command({"SET", "other",
                 R"({"service_type": "chat", "service_name": "proc", "current_load": 1, "max_capacity": 1,)"
                 R"( "last_heartbeat": 9999999999.5, "health_status": "ServiceHealth.UNHEALTHY"})"});
  REQUIRE(until(10s, [&] { return post(1).status == 200; }));
  for (int i = 2; i < 4; ++i) CHECK(post(i).status == 200);
  auto full = post(5);
  CHECK(full.status == 503);
  CHECK(full.head.find("Retry-After: 60\r\n") != std::string::npos);
  CHECK(json_at(full.body, "detail.reason") == "hard_limit_exceeded");
  CHECK(json_at(full.body, "detail.queue_stats.current_queue_size") == "3");
  CHECK(json_at(full.body, "detail.queue_stats.actual_capacity") == "4");
  CHECK(json_at(full.body, "detail.queue_stats.theoretical_thresholds.hard_limit") == "3");
  CHECK(http_get(ingress.port, "/metrics")
            .body.find(R"(corbel_queue_put_refused_total{queue="corbel:queue",reason="hard_limit_exceeded"} 1)") !=
        std::string::npos);
  host proc("proc", redis.url(), {}, document);
  CHECK(until(10s, [&] { return post(6).status == 200; }));
}

TEST_CASE("max_queue_size of the component that works the queue binds ingress") {
  redis_server redis;
  host ingress("ingress", redis.url(), {},
               {R"(GATEWAY_CONFIG_JSON={"limits": {"proc": {"max_queue_size": 2}, "ingress": {"max_queue_size": 1}}})"});
  redis.command({"ZADD", index_of_procs, "9999999999", "other"});
  redis.command({"SET", "other",
                 R"({"service_type": "chat", "service_name": "proc", "current_load": 0, "max_capacity": 50,)"
                 R"( "last_heartbeat": 9999999999.5, "health_status": "healthy"})"});
  for (int i = 0; i < 2; ++i)
    REQUIRE(http_post(ingress.port, "/api/chat/messages", plain("s", "x", "e" + std::to_string(i))).status == 200);
  auto refused = http_post(ingress.port, "/api/chat/messages", plain("s", "x", "e2"));
  CHECK(refused.status == 503);
  CHECK(json_at(refused.body, "detail.reason") == "queue_size_exceeded");
}

TEST_CASE("both hosts on the platform's queue: the user type's lists, its locks, its figures") {
  redis_server redis;
  const std::vector<std::string> platform{"--queue-layout", "platform"};
  host ingress("ingress", redis.url(), {"--queue-layout", "platform", "--admission", "off"});
  auto stream = sse_client::of(ingress.port, "s1", "me");
  CHECK(stream.next().event == "ready");
  REQUIRE(http_post(ingress.port, "/api/chat/messages", plain("s1", "a b a", "e1")).status == 200);
  CHECK(redis.command({"LLEN", chat_queue + "anonymous"}).number == 1);
  const auto item = redis.command({"LINDEX", chat_queue + "anonymous", "0"}).text;
  CHECK(json_at(item, "accounting.envelope.user_type") == "anonymous");
  CHECK(json_at(item, "meta.instance_id") == "ingress-1");
  // An event of the conversation's lane, and a wake-up for it, as the platform's ingress puts them.
  CHECK(json_at(item, "kind") == "external_event_lane_wakeup");
  CHECK(json_at(item, "event_lane.event_id") == "e1");
  CHECK(json_at(item, "event_lane.sequence") == "1");
  const auto lane =
      "home:default-project:kdcube:chat:conversation:external-events:" + json_at(item, "routing.conversation_id");
  CHECK(redis.command({"XLEN", lane}).number == 1);
  CHECK(json_at(redis.command({"GET", lane + ":event:e1"}).text, "text") == "a b a");
  {
    host proc("proc", redis.url(), platform);
    CHECK(json_at(stream.next("chat_complete").data, "data.final_answer") == "a 2, b 1");
    CHECK(until(10s, [&] { return redis.command({"LLEN", chat_queue + "inflight:anonymous"}).number == 0; }));
    proc.process.signal(SIGTERM);
    CHECK(proc.process.wait_for(20s) == 0);
  }
  CHECK(redis.command({"LLEN", chat_queue + "anonymous"}).number == 0);
  const auto record = redis.command({"GET", lane + ":event:e1"}).text;
  CHECK(json_at(record, "consumed_at").find("null") == std::string::npos);
  CHECK(json_at(record, "consumed_by_turn_id") == json_at(item, "routing.turn_id"));
  CHECK(json_at(redis.command({"GET", lane + ":state"}).text, "consumer_status") == "none");
  const auto figures = redis.command({"GET", chat_queue + "analytics:anonymous"}).text;
  CHECK(json_at(figures, "total_processed") == "1");
  CHECK(json_at(figures, "processed_today") == "1");
}

TEST_CASE("each message is a log line with the names of its request; what cannot be read is buried and said") {
  redis_server redis;
  host ingress("ingress", redis.url()), proc("proc", redis.url());
  auto posted = http_post(ingress.port, "/api/chat/messages", plain("s", "x", "e1"));
  REQUIRE(posted.status == 200);
  redis.command({"LPUSH", "corbel:queue", "no task at all"});
  auto line_with = [&](const std::string &text) {
    std::string found;
    until(10s, [&] {
      std::istringstream in(proc.log());
      for (std::string line; std::getline(in, line);)
        if (line.find(text) != std::string::npos) found = line;
      return !found.empty();
    });
    return found;
  };
  const auto task = json_at(posted.body, "task_id");
  const auto done = line_with(task);
  for (auto part : {R"("request_id": ")", R"("tenant": "home")", R"("project": "default-project")",
                    R"("bundle_id": "default")", R"("conversation_id": ")", R"("attempt": "1")", R"("ms": ")"})
    CHECK_MESSAGE(done.find(part) != std::string::npos, done);
  CHECK(done.find("error_class") == std::string::npos);
  const auto bad = line_with("buried a message");
  CHECK_MESSAGE(bad.find(R"("error_class": "INVALID")") != std::string::npos, bad);
  CHECK(until(10s, [&] { return redis.command({"ZCARD", "corbel:queue:dead"}).number == 1; }));
}

TEST_CASE("where started work is interrupted, its session hears of it and it is not run again") {
  redis_server redis;
  host ingress("ingress", redis.url());
  auto stream = sse_client::of(ingress.port, "s", "me");
  CHECK(stream.next().event == "ready");
  // A worker that takes the message and is cut off from the server then.
  tcp_gate gate(redis.port());
  runtime rt;
  consumer out(redis_pool(rt, {.url = gate.url()}),
               {.name = "corbel:queue", .lease = 1000ms, .crashed = after_crash::interrupt});
  auto taking = out.async_take(boost::asio::use_future);
  const auto task = json_at(http_post(ingress.port, "/api/chat/messages", plain("s", "x", "e1")).body, "task_id");
  REQUIRE(taking.wait_for(20s) == std::future_status::ready);
  auto held = taking.get();
  REQUIRE(held);
  gate.black_hole(true);
  const std::vector<std::string> interrupt{"--after-crash", "interrupt", "--lease-ms", "1000"};
  host proc("proc", redis.url(), interrupt);
  auto told = stream.next("chat_error");
  CHECK(json_at(told.data, "data.task_id") == task);
  CHECK(json_at(told.data, "data.error_type") == "turn_interrupted");
  CHECK(json_at(told.data, "data.reason") == "worker_lost_after_start");
  CHECK(redis.command({"LLEN", "corbel:queue"}).number == 0);
  CHECK(until(10s, [&] { return redis.command({"ZCARD", "corbel:queue:dead"}).number == 1; }));
}
