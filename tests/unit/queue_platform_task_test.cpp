/// Keys of the platform's queue, its tasks, and the tasks that wake-ups stand for.

#include "json/document.hpp"
#include "queue/platform/keys.hpp"
#include "queue/platform/payload.hpp"

#include <doctest/doctest.h>

using namespace corbel;
using namespace corbel::detail;

TEST_CASE("keys are the platform's; ours stand beside them") {
  const platform_keys k("home", "demo");
  REQUIRE(k.ready.size() == 5);
  CHECK(k.ready[0] == "home:demo:kdcube:chat:prompt:queue:privileged");
  CHECK(k.ready[4] == "home:demo:kdcube:chat:prompt:queue:external");
  REQUIRE(k.all.size() == 21);
  CHECK(k.all[5] == "home:demo:kdcube:chat:prompt:queue:inflight:privileged");
  CHECK(k.all[10] == "home:demo:corbel:queue");
  CHECK(k.all[11] == "home:demo:kdcube:lock");
  CHECK(k.all[15] == "home:demo:kdcube:system:capacity:counter");
  CHECK(k.all[20] == "home:demo:kdcube:chat:conversation:mailbox:count:external");
  CHECK(k.events == "home:demo:kdcube:chat:conversation:external-events");
}

TEST_CASE("a safe part of a key") {
  CHECK(safe_part("a.b@c-D_9") == "a.b@c-D_9");
  CHECK(safe_part("  a  b//c ") == "a_b_c");
  CHECK(safe_part(":a:") == "_a_");
  CHECK(safe_part("\xc3\xa4x") == "_x");
  CHECK(safe_part("") == "_");
  CHECK(safe_part(" \t\n") == "_");
}

TEST_CASE("ids of lanes") {
  CHECK(event_lane_id("c 1", "", "") == "c_1");
  CHECK(event_lane_id("c", "", "default.react.agent") == "c");
  CHECK(event_lane_id("c", "u:1", "") == "c:user:u_1:agent:default.react.agent");
  CHECK(event_lane_id("c", "", "other") == "c:user:_:agent:other");
}

TEST_CASE("a task tells its id, user type and conversation") {
  auto t =
      read_platform_task(R"({"meta": {"task_id": "a"}, "user": {"user_type": "paid"}, "routing": {"conversation_id": null,
    "session_id": "s"}})");
  REQUIRE(t);
  CHECK(t->id == "a");
  CHECK(t->user_type == "paid");
  CHECK(t->conversation == "s");
  CHECK(read_platform_task(R"({"task_id": "b", "meta": null})")->id == "b");
  CHECK(read_platform_task(R"({"meta": {"task_id": 1}})").error().message() == "meta.task_id: is missing");
  CHECK_FALSE(read_platform_task("[]"));
  CHECK_FALSE(read_platform_task("{"));
}

namespace {
const std::string wake = R"({"kind": "external_event_lane_wakeup", "meta": {"task_id": "w"}, "n": 12345678901234567})";
}

TEST_CASE("a wake-up stands for the task of its event, with what the event is") {
  const auto body = resolve_wake_up(R"({"kind": "external_event", "agent_id": "g", "event_source_id": "src", "event_id": "e",
    "sequence": 7, "task_payload": {"meta": {"task_id": "t", "created_at": 1760000000.123456}, "request": {"external_events": {},
    "chat_history": {}, "payload": {}}, "user": {"roles": {}, "permissions": {}, "identity_authority": {}}, "event": {"kind":
    "message", "story_id": "st", "source": null, "sequence": null}, "bundle_call_context": {"x": 1, "event_lane_wakeup": 2}}})",
                                    wake);
  CHECK(
      body ==
      R"({"meta": {"task_id": "t", "created_at": 1760000000.123456}, "request": {"external_events": [], "chat_history": [], )"
      R"("payload": {}}, "user": {"roles": [], "permissions": [], "identity_authority": {}}, )"
      R"("event": {"kind": "external_event", "agent_id": "g", "event_source_id": "src", "event_id": "e", "sequence": 7, )"
      R"("source": "processor.external_event_lane_wakeup", "story_id": "st"}, )"
      R"("bundle_call_context": {"x": 1, "event_lane_wakeup": )" +
          wake + "}}");
}

TEST_CASE("what the record does not tell stays as the task has it") {
  const auto body = resolve_wake_up(R"({"task_payload": {"event": {"kind": "message", "event_id": "e"}}})", wake);
  auto document = json_document::parse(body);
  REQUIRE(document);
  auto event = *document->root().object()->object("event");
  CHECK(*event.text("kind") == "message");
  CHECK(*event.text("event_id") == "e");
  CHECK_FALSE(event.find("sequence"));
}

TEST_CASE("a record without a task that can be read gives nothing") {
  CHECK(resolve_wake_up("{}", wake).empty());
  CHECK(resolve_wake_up(R"({"task_payload": null})", wake).empty());
  CHECK(resolve_wake_up("[]", wake).empty());
  CHECK(resolve_wake_up("text", wake).empty());
  CHECK(resolve_wake_up(R"({"task_payload": {}})", "text").empty());
}
