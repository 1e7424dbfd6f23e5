/// Hosts and the state of conversations, with PostgreSQL.

#include "live/hosts_fixture.hpp"
#include "support/postgres_server.hpp"

#include <doctest/doctest.h>

using namespace corbel;
using namespace corbel::test;
using namespace std::chrono_literals;

namespace {

constexpr char table[] = "kdcube_home_default_project.conv_messages";

std::vector<std::string> where(const postgres_server &pg, std::vector<std::string> more = {}) {
  more.insert(more.end(),
              {"PGHOST=127.0.0.1", "PGPORT=" + std::to_string(pg.port()), "PGUSER=postgres", "PGDATABASE=postgres"});
  return more;
}

std::string chat(const std::string &conversation, const std::string &event_id) {
  return R"({"conversation_id": ")" + conversation + R"(", "external_events": [{"event_id": ")" + event_id +
         R"(", "type": "event.user.prompt", "payload": {"event": {"text": "a b"}}}]})";
}

std::string state(postgres_server &pg, const std::string &conversation) {
  if (pg.value("SELECT to_regclass('" + std::string(table) + "') IS NOT NULL") != "t") return "no table";
  return pg.value(std::string("SELECT coalesce((SELECT array_to_string(ARRAY(SELECT t FROM unnest(tags) t WHERE t LIKE"
                              " 'conv.state:%'), ' ') FROM ") +
                  table + " WHERE conversation_id = '" + conversation + "'), 'none')");
}

}  // namespace

TEST_CASE("a conversation is in progress while its message waits, idle when it was worked, and its session hears so") {
  redis_server redis;
  postgres_server pg;
  host ingress("ingress", redis.url(), {}, where(pg));
  auto stream = sse_client::of(ingress.port, "s", "me");
  CHECK(stream.next().event == "ready");
  auto first = http_post(ingress.port, "/sse/chat?stream_id=me", chat("c", "e1"));
  REQUIRE(first.status == 200);
  CHECK(json_at(first.body, "is_continuation") == "false");
  CHECK(state(pg, "c") == "conv.state:in_progress");
  auto begun = stream.next();
  CHECK(begun.event == "conv_status");
  CHECK(json_at(begun.data, "data.state") == "in_progress");
  CHECK(json_at(begun.data, "type") == "conv.status");
  auto second = http_post(ingress.port, "/sse/chat?stream_id=me", chat("c", "e2"));
  REQUIRE(second.status == 200);
  CHECK(json_at(second.body, "is_continuation") == "true");
  CHECK(json_at(second.body, "active_turn_id") == json_at(first.body, "turn_id"));
  host proc("proc", redis.url(), {}, where(pg));
  for (auto &posted : {first, second}) {
    CHECK(json_at(stream.next("chat_complete").data, "conversation.turn_id") == json_at(posted.body, "turn_id"));
    auto ended = stream.next("conv_status");
    CHECK(json_at(ended.data, "data.state") == "idle");
    CHECK(json_at(ended.data, "data.completion") == "success");
    CHECK(json_at(ended.data, "conversation.turn_id") == json_at(posted.body, "turn_id"));
  }
  CHECK(until(10s, [&] { return state(pg, "c") == "conv.state:idle"; }));
  CHECK(pg.value(std::string("SELECT count(*) FROM ") + table) == "1");
}

TEST_CASE("a conversation whose message was refused is idle again") {
  redis_server redis;
  postgres_server pg;
  host ingress("ingress", redis.url(), {"--admission", "on"}, where(pg));
  auto stream = sse_client::of(ingress.port, "s", "me");
  CHECK(stream.next().event == "ready");
  CHECK(http_post(ingress.port, "/sse/chat?stream_id=me", chat("c", "e1")).status == 503);
  auto status = stream.next("conv_status");
  CHECK(json_at(status.data, "data.state") == "idle");
  CHECK(json_at(status.data, "data.completion") == "rollback");
  CHECK(until(10s, [&] { return state(pg, "c") == "conv.state:idle"; }));
  redis.kill();
  CHECK(http_post(ingress.port, "/sse/chat?stream_id=me&user_session_id=s", chat("d", "e2")).status == 503);
  CHECK(until(10s, [&] { return state(pg, "d") == "conv.state:idle"; }));
}

TEST_CASE("an interrupted turn leaves its conversation in error") {
  redis_server redis;
  postgres_server pg;
  const std::vector<std::string> interrupt{"--after-crash", "interrupt", "--lease-ms", "1000"};
  host ingress("ingress", redis.url(), {}, where(pg));
  auto stream = sse_client::of(ingress.port, "s", "me");
  CHECK(stream.next().event == "ready");
  REQUIRE(http_post(ingress.port, "/sse/chat?stream_id=me", chat("c", "e1")).status == 200);
  // As a worker leaves it that has begun with it and died.
  const auto script = R"(
    local element = redis.call('RPOP', 'corbel:queue')
    redis.call('RPUSH', 'corbel:queue:claim:gone.1', element)
    redis.call('INCR', 'corbel:queue:inflight')
    redis.call('ZADD', 'corbel:queue:leases', 1, 'gone.1')
    redis.call('HSET', 'corbel:queue:holders', 'gone.1', ARGV[1]))";
  const auto element = redis.command({"LINDEX", "corbel:queue", "-1"}).text;
  const auto group = element.substr(0, element.find('\n'));
  redis.command({"EVAL", script, "0", "1 1 1 1 0 \n0 1 1 " + group.substr(group.rfind('\37') + 1)});
  host proc("proc", redis.url(), interrupt, where(pg));
  auto told = stream.next("chat_error");
  CHECK(json_at(told.data, "data.error_type") == "turn_interrupted");
  CHECK(until(10s, [&] { return state(pg, "c") == "conv.state:error"; }));
}
