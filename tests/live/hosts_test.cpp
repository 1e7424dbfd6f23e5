#include "live/hosts_fixture.hpp"
#include "support/queue_claims.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <set>

using namespace corbel;
using namespace corbel::test;
using namespace std::chrono_literals;

namespace {

std::string chat(const std::string &text, const std::string &event_id) {
  return R"({"external_events": [{"event_id": ")" + event_id +
         R"(", "type": "event.user.prompt", "payload": {"mime": "application/json", "event": {"text": ")" + text + "\"}}}]}";
}

}  // namespace

TEST_CASE("a message goes in at ingress, is worked by proc and comes back on the session's stream") {
  redis_server redis;
  host ingress("ingress", redis.url()), proc("proc", redis.url());
  auto stream = sse_client::of(ingress.port, "s1", "me");
  CHECK(stream.head.starts_with("HTTP/1.1 200 "));
  for (auto line :
       {"Content-Type: text/event-stream\r\n", "Cache-Control: no-cache, no-transform\r\n", "X-Accel-Buffering: no\r\n"})
    CHECK(stream.head.find(line) != std::string::npos);
  auto ready = stream.next();
  CHECK(ready.event == "ready");
  CHECK(json_at(ready.data, "session_id") == "s1");
  CHECK(json_at(ready.data, "stream_id") == "me");
  CHECK(json_at(ready.data, "tenant") == "home");
  CHECK(json_at(ready.data, "project") == "default-project");
  CHECK(json_at(ready.data, "user_type") == "anonymous");
  CHECK(json_at(ready.data, "project_events") == "false");

  auto posted = http_post(ingress.port, "/sse/chat?stream_id=me", chat("b A b \\u2028 c a B", "e1"));
  REQUIRE(posted.status == 200);
  CHECK(json_at(posted.body, "status") == "processing_started");
  CHECK(json_at(posted.body, "session_id") == "s1");
  CHECK(json_at(posted.body, "event_id") == "e1");
  auto task = json_at(posted.body, "task_id");
  for (auto name : {"chat_start", "chat_step", "chat_complete"}) {
    auto e = stream.next();
    CHECK(e.event == name);
    CHECK(e.id.starts_with("e1:"));
    CHECK(json_at(e.data, "service.request_id") == task);
    CHECK(json_at(e.data, "conversation.turn_id") == json_at(posted.body, "turn_id"));
    if (e.event == "chat_complete") CHECK(json_at(e.data, "data.final_answer") == "b 3, a 2, c 1, \u2028 1");
  }
  CHECK(until(10s, [&] { return in_flight(redis, "corbel:queue") == 0; }));
}

TEST_CASE("health has the platform's bodies") {
  redis_server redis;
  host ingress("ingress", redis.url()), proc("proc", redis.url());
  auto a = http_get(ingress.port, "/health").body;
  CHECK(json_at(a, "status") == "healthy");
  CHECK(json_at(a, "draining") == "false");
  CHECK(json_at(a, "instance_id") == "ingress-1");
  CHECK(json_at(a, "port") == std::to_string(ingress.port));
  CHECK(json_at(a, "timestamp") == "a number");
  CHECK(json_at(a, "socketio_status") == "disabled");
  CHECK(json_at(a, "sse_status") == "enabled");
  auto b = http_get(proc.port, "/health").body;
  CHECK(b.substr(0, b.find(", \"parts\": {")) + "}" ==
        R"({"status": "ok", "draining": false, "service": "chat-proc", "instance_id": "proc-1", "bundles_git_ready": true, )"
        R"("bundles_git_errors": {}, "bundles_preload_ready": true, "bundles_preload_errors": {}, )"
        R"("bundles_preload_skipped_locked": 0, "bundles_preload_skipped_claimed": 0, "bundles_preload_skipped_done": 0, )"
        R"("bundles_preload_started_at": null, "bundles_preload_finished_at": null, "bundles_preload_status": {}})");
}

TEST_CASE("what a client does wrong is said in a clear 4xx") {
  redis_server redis;
  host ingress("ingress", redis.url());
  auto refused = [&](const std::string &target, const std::string &body, int status, const std::string &type) {
    auto r = http_post(ingress.port, target, body);
    CHECK_MESSAGE(r.status == status, body);
    CHECK(json_at(r.body, "detail.error_type") == type);
    CHECK(json_at(r.body, "detail.error").size() > 10);
  };
  const std::string sse = "/sse/chat?stream_id=x&user_session_id=s", messages = "/api/chat/messages";
  refused(sse, "", 400, "bad_request");
  refused(sse, "\x01\x02\xff", 400, "bad_request");
  refused(sse, "[]", 400, "bad_request");
  refused(sse, "{\"external_events\"", 400, "bad_request");
  refused(sse, "{}", 400, "missing_external_events");
  refused(sse, R"({"external_events": []})", 400, "missing_external_events");
  refused(sse, R"({"external_events": {}})", 400, "bad_request");
  refused(sse, R"({"external_events": [{"payload": {"event": {}}}]})", 400, "missing_message");
  refused(sse, chat(std::string(32001, 'x'), "e"), 400, "input_too_long");
  refused(sse, chat("x", "bad id"), 400, "bad_request");
  refused(sse, std::string(2000000, 'x'), 413, "message_size_limit");
  refused("/sse/chat?stream_id=nobody", chat("x", "e"), 400, "missing_session_id");
  refused("/sse/chat?user_session_id=a%0Ab", chat("x", "e"), 400, "bad_request");
  refused(messages, "{}", 400, "missing_session_id");
  refused(messages, R"({"session_id": "s"})", 400, "missing_message");
  refused(messages, R"({"session_id": 5, "text": "x"})", 400, "bad_request");
  refused("/nowhere", "{}", 404, "not_found");
  refused("/health", "{}", 405, "method_not_allowed");
  CHECK(http_get(ingress.port, "/sse/stream").status == 400);
  CHECK(redis.command({"LLEN", "corbel:queue"}).number == 0);
  CHECK(http_post(ingress.port, sse, chat(std::string(32000, 'x'), "e")).status == 200);
}

TEST_CASE("events for one stream reach it only; a stream that comes back gets what it missed") {
  redis_server redis;
  host ingress("ingress", redis.url()), proc("proc", redis.url());
  auto a = sse_client::of(ingress.port, "s", "A"), b = sse_client::of(ingress.port, "s", "B");
  auto other = sse_client::of(ingress.port, "t", "A2");
  CHECK(http_post(ingress.port, "/sse/chat?stream_id=A", chat("one", "e1")).status == 200);
  CHECK(http_post(ingress.port, "/api/chat/messages", plain("s", "two", "e2")).status == 200);
  CHECK(http_post(ingress.port, "/api/chat/messages", plain("t", "three", "e3")).status == 200);
  CHECK(a.next("chat_complete").id == "e1:chat.complete");
  CHECK(a.next("chat_complete").id == "e2:chat.complete");
  auto last = b.next("chat_complete").id;
  CHECK(last == "e2:chat.complete");
  CHECK(other.next("chat_complete").id == "e3:chat.complete");

  CHECK(http_post(ingress.port, "/api/chat/messages", plain("s", "four", "e4")).status == 200);
  CHECK(a.next("chat_complete").id == "e4:chat.complete");
  auto back = sse_client::of(ingress.port, "s", "B", last);
  CHECK(back.next().event == "ready");
  CHECK(back.next().id == "e4:chat.start");
  CHECK(back.next("chat_complete").id == "e4:chat.complete");
  auto fresh = sse_client::of(ingress.port, "s", "C");
  CHECK(http_post(ingress.port, "/api/chat/messages", plain("s", "five", "e5")).status == 200);
  CHECK(fresh.next().event == "ready");
  CHECK(fresh.next().id == "e5:chat.start");
}

TEST_CASE("a silent stream is kept alive by comments") {
  redis_server redis;
  host ingress("ingress", redis.url());
  auto stream = sse_client::of(ingress.port, "s", "A");
  CHECK(stream.next().event == "ready");
  CHECK(stream.block() == ": keepalive\n");
}

TEST_CASE("while Redis is away ingress answers 503 and says whether the message may have got through") {
  redis_server redis;
  host ingress("ingress", redis.url());
  redis.kill();
  auto posted = http_post(ingress.port, "/api/chat/messages", plain("s", "x", "e"));
  CHECK(posted.status == 503);
  CHECK(posted.head.find("Retry-After: 1\r\n") != std::string::npos);
  CHECK(json_at(posted.body, "detail.error").size() > 10);
  CHECK(json_at(posted.body, "detail.retry_after") == "1");
  CHECK(json_at(posted.body, "detail.maybe_applied") == "false");
  CHECK(ingress.health() == 200);
  auto opened = http_get(ingress.port, "/sse/stream?user_session_id=s&stream_id=a");
  CHECK(opened.status == 503);
}

TEST_CASE("SIGTERM: ingress says 503 first, completes its requests, tells its streams, exits 0") {
  redis_server redis;
  host ingress("ingress", redis.url());
  auto stream = sse_client::of(ingress.port, "s", "A");
  CHECK(stream.next().event == "ready");
  redis.pause();
  http_wire waiting(ingress.port);
  waiting.post("/api/chat/messages", plain("s", "x", "e"));
  // It was sent before this one, so it was read before this one is answered.
  REQUIRE(until(10s, [&] { return ingress.health() == 200; }));
  ingress.process.signal(SIGTERM);
  CHECK(until(10s, [&] { return ingress.health() == 503; }));
  auto health = http_get(ingress.port, "/health");
  CHECK(json_at(health.body, "status") == "draining");
  CHECK(json_at(health.body, "draining") == "true");
  CHECK(http_get(ingress.port, "/readyz").body == "it drains");
  CHECK(http_get(ingress.port, "/livez").status == 200);
  auto told = stream.next();
  CHECK(told.event == "server_shutdown");
  CHECK(json_at(told.data, "reason") == "draining");
  CHECK(json_at(told.data, "stream_id") == "A");
  CHECK(stream.next().event.empty());
  redis.resume();
  CHECK(waiting.response().status == 200);
  CHECK(ingress.process.wait_for(20s) == 0);
  CHECK(redis.command({"LLEN", "corbel:queue"}).number == 1);
}

TEST_CASE("SIGTERM: proc completes what it has begun and leaves the rest, exits 0") {
  redis_server redis;
  host ingress("ingress", redis.url());
  auto stream = sse_client::of(ingress.port, "s", "A");
  constexpr int count = 1500;
  http_wire wire(ingress.port);
  for (int i = 0; i < count; ++i) {
    wire.post("/api/chat/messages", plain("s", "word", "e" + std::to_string(i)));
    REQUIRE(wire.response().status == 200);
  }
  std::multiset<std::string> answered;
  {
    host proc("proc", redis.url());
    for (int i = 0; i < 20; ++i) answered.insert(stream.next("chat_complete").id);
    proc.process.signal(SIGTERM);
    CHECK(until(10s, [&] { return proc.health() == 503; }));
    CHECK(json_at(http_get(proc.port, "/health").body, "status") == "draining");
    CHECK(proc.process.wait_for(20s) == 0);
    CHECK(in_flight(redis, "corbel:queue") == 0);
  }
  host proc("proc", redis.url());
  while (answered.size() < count) answered.insert(stream.next("chat_complete").id);
  for (int i = 0; i < count; ++i) CHECK(answered.count("e" + std::to_string(i) + ":chat.complete") == 1);
}

TEST_CASE("a second SIGTERM ends a host at once") {
  redis_server redis;
  host proc("proc", redis.url(), {"--drain-notice-ms", "600000"});
  proc.process.signal(SIGTERM);
  REQUIRE(until(10s, [&] { return proc.health() == 503; }));
  proc.process.signal(SIGTERM);
  CHECK(proc.process.wait_for(5s) == 128 + SIGTERM);
}

TEST_CASE("no answer is lost when Redis is killed and comes back") {
  redis_server redis({.append_only = true});
  host ingress("ingress", redis.url()), proc("proc", redis.url(), {"--lease-ms", "2000"});
  constexpr int sessions = 12, each = 60;
  std::vector<sse_client> streams;
  for (int s = 0; s < sessions; ++s) {
    streams.push_back(sse_client::of(ingress.port, "s" + std::to_string(s), "A"));
    REQUIRE(streams.back().next().event == "ready");
  }
  std::atomic<int> sent{0}, retried{0};
  std::vector<std::future<void>> clients;
  for (int s = 0; s < sessions; ++s)
    clients.push_back(std::async(std::launch::async, [&, s] {
      http_wire wire(ingress.port);
      for (int i = 0; i < each; ++i) {
        auto body = plain("s" + std::to_string(s), "some words", "e" + std::to_string(i));
        for (;;) {
          wire.post("/api/chat/messages", body);
          auto status = wire.response().status;
          if (status == 200) break;
          if (status != 503) throw std::runtime_error("unexpected status " + std::to_string(status));
          ++retried;
        }
        ++sent;
      }
    }));
  for (int kills = 1; kills <= 3; ++kills) {
    REQUIRE(until(30s, [&] { return sent >= kills * sessions * each / 5; }));
    redis.kill();
    redis.start();
  }
  for (auto &c : clients) c.get();
  for (auto &stream : streams) {
    std::multiset<std::string> answered;
    while (answered.size() < each) answered.insert(stream.next("chat_complete").id);
    for (int i = 0; i < each; ++i) CHECK(answered.count("e" + std::to_string(i) + ":chat.complete") == 1);
  }
  MESSAGE("requests sent again after a 503: ", retried.load());
}
