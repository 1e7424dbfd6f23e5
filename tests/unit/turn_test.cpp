#include "json/document.hpp"
#include "operations/processor_state.hpp"
#include "operations/put_refusal.hpp"
#include "operations/task_fields.hpp"
#include "operations/turn_events.hpp"
#include "queue/admission.hpp"

#include <doctest/doctest.h>

using namespace corbel;

namespace {

chat_task task() {
  chat_task t;
  t.task_id = "t1";
  t.bundle_id = "b";
  t.session_id = "s";
  t.conversation_id = "c";
  t.turn_id = "turn";
  t.stream_id = "me";
  t.tenant = "home";
  t.project = "demo";
  t.user_type = "paid";
  t.event_id = "e1";
  return t;
}

put_refusal refused(const std::string &reason) {
  auto why = detail::refused_put({.refused = reason, .depth = 11}, {.capacity = 12, .processes = 1});
  auto r = put_refusal::of(why, task(), {});
  REQUIRE(r);
  return *r;
}

std::string text(const json_object &o, const char *key) { return std::string(o.text(key).value()); }

}  // namespace

TEST_CASE("a refusal has the platform's reasons, times and thresholds") {
  const std::pair<const char *, int> expected[] = {
      {"hard_limit_exceeded", 60},          {"paid_threshold_exceeded", 45}, {"registered_threshold_exceeded", 45},
      {"anonymous_threshold_exceeded", 30}, {"no_healthy_processes", 30},    {"queue_size_exceeded", 30}};
  for (auto [reason, seconds] : expected) {
    auto r = refused(reason);
    CHECK(r.reason == reason);
    CHECK(r.retry_after == seconds);
  }
  CHECK(
      refused("hard_limit_exceeded").stats ==
      R"({"current_queue_size": 11, "actual_capacity": 12, "healthy_processes": 1, "theoretical_thresholds": )"
      R"({"anonymous_threshold": 7, "registered_threshold": 9, "paid_threshold": 9, "hard_limit": 11, "total_capacity": 12}, )"
      R"("user_type": "paid", "task_id": "t1", "check_type": "chat_enqueue_by_fact"})");
}

TEST_CASE("a refusal is told as 503 and as an event for the stream") {
  auto r = refused("paid_threshold_exceeded");
  auto answer = r.response();
  CHECK(answer.status == 503);
  REQUIRE(answer.fields.size() == 1);
  CHECK(answer.fields[0] == std::pair<std::string, std::string>("Retry-After", "45"));
  auto body = json_document::parse(answer.body);
  REQUIRE(body);
  auto detail = *body->root().object()->object("detail");
  CHECK(text(detail, "error_type") == "queue.enqueue_rejected");
  CHECK(text(detail, "error") == "System under pressure - request rejected (paid_threshold_exceeded)");
  CHECK(*detail.integer("retry_after") == 45);
  CHECK(*detail.object("queue_stats")->integer("actual_capacity") == 12);
  auto event = r.event(task());
  CHECK(event.event == "chat_service");
  CHECK(event.target_sid == "me");
  auto data = json_document::parse(event.data);
  REQUIRE(data);
  auto top = *data->root().object();
  CHECK(text(top, "type") == "queue.enqueue_rejected");
  CHECK(text(top, "route") == "chat_service");
  CHECK(text(*top.object("event"), "agent") == "queue");
  CHECK(text(*top.object("event"), "step") == "enqueue");
  CHECK(*top.object("data")->integer("http_status") == 503);
}

TEST_CASE("other errors are no refusals") {
  CHECK_FALSE(put_refusal::of(error(status::busy, "x", "redis"), task(), {}));
  CHECK_FALSE(put_refusal::of(error(status::busy, "x", "queue"), task(), {}));
  CHECK_FALSE(put_refusal::of(error(status::lost, "x", "queue", {}, error::maybe_applied), task(), {}));
}

TEST_CASE("what a session hears of its turns") {
  auto m = conversation_status(task(), "idle", "success");
  CHECK(m.event == "conv_status");
  CHECK(m.session_id == "s");
  CHECK(m.target_sid.empty());  // all streams of the session show the conversation
  auto top = json_document::parse(m.data);
  REQUIRE(top);
  auto o = *top->root().object();
  CHECK(text(o, "type") == "conv.status");
  CHECK(text(*o.object("service"), "bundle_id") == "b");
  CHECK(text(*o.object("event"), "step") == "conv.state");
  CHECK(text(*o.object("data"), "state") == "idle");
  CHECK(text(*o.object("data"), "completion") == "success");
  CHECK(text(*o.object("data"), "current_turn_id") == "turn");
  CHECK(conversation_status(task(), "in_progress").data.find("completion") == std::string::npos);
  auto lost = turn_interrupted(task());
  CHECK(lost.event == "chat_error");
  auto said = json_document::parse(lost.data);
  REQUIRE(said);
  auto data = *said->root().object()->object("data");
  CHECK(text(data, "task_id") == "t1");
  CHECK(text(data, "error_type") == "turn_interrupted");
  CHECK(text(data, "reason") == "worker_lost_after_start");
  CHECK_FALSE(text(data, "error").empty());
}

TEST_CASE("log fields name the request") {
  auto t = task();
  t.request_id = "r";
  auto fields = task_fields("m", 2, &t, "TIMEOUT");
  auto has = [&](const char *name, const char *value) {
    return std::any_of(fields.begin(), fields.end(), [&](auto &f) { return f.name == name && f.value == value; });
  };
  CHECK(has("message", "m"));
  CHECK(has("attempt", "2"));
  CHECK(has("request_id", "r"));
  CHECK(has("tenant", "home"));
  CHECK(has("project", "demo"));
  CHECK(has("bundle_id", "b"));
  CHECK(has("error_class", "TIMEOUT"));
  CHECK(task_fields("m", 1, nullptr).size() == 2);
}

TEST_CASE("what a worker has in hand") {
  using clock = processor_state::clock;
  using namespace std::chrono_literals;
  processor_state p;
  const clock::time_point t0{1700000000s};
  auto a = p.claimed({.task_id = "a",
                      .queue_key = "paid",
                      .inflight_key = "paid",
                      .bundle_id = "b",
                      .claimed_at = t0,
                      .last_activity_at = t0});
  auto b = p.claimed({.task_id = "b"});
  CHECK(p.load() == 2);
  p.started(b);
  p.activity(b, "chat_step");
  p.ended(b);
  p.activity(b, "late");
  CHECK(p.load() == 1);
  auto parsed = json_document::parse(p.json(t0 + 5s));
  REQUIRE(parsed);
  auto top = *parsed->root().object();
  CHECK(*top.integer("current_load") == 1);
  auto tasks = *top.array("active_task_details");
  REQUIRE(tasks.size() == 1);
  auto one = *tasks[0].object();
  CHECK(text(one, "task_id") == "a");
  CHECK(*one.boolean("started_execution", true) == false);
  CHECK_FALSE(one.find("started_at"));
  CHECK(*one.number("wall_age_sec") == 5);
  CHECK(*one.number("claimed_at") == 1700000000);
  CHECK(*top.number("oldest_active_task_wall_age_sec") == 5);
  CHECK(*top.boolean("accepting_new_tasks", false));
  p.drain();
  p.interrupted();
  p.ended(a);
  auto after = json_document::parse(p.json());
  CHECK_FALSE(*after->root().object()->boolean("accepting_new_tasks", true));
  CHECK(*after->root().object()->integer("stale_interrupted_count") == 1);
}
