#include "operations/chat_task.hpp"

#include "json/document.hpp"
#include "operations/chat_event.hpp"

#include <doctest/doctest.h>

using namespace corbel;

TEST_CASE("a task reads back as it was written") {
  chat_task t{
      .task_id = "t1",
      .created_at = 1700000000.5,
      .instance_id = "i",
      .bundle_id = "b",
      .session_id = "s",
      .conversation_id = "c",
      .turn_id = "turn",
      .stream_id = "me",
      .tenant = "home",
      .project = "demo",
      .user_type = "paid",
      .event_id = "e1",
      .external_events = R"([{"payload": {"event": {"text": "one"}}}, {"payload": {"event": "two"}}, {"payload": {}}])"};
  auto back = chat_task::parse(t.json());
  REQUIRE(back);
  CHECK(back->json() == t.json());
  CHECK(back->text == "one\ntwo");
  CHECK(back->stream_id == "me");
  CHECK(back->user_type == "paid");
  CHECK(back->event_id == "e1");
}

TEST_CASE("a task of others needs no more than its names") {
  auto t =
      chat_task::parse(R"({"meta": {"task_id": "t"}, "routing": {"session_id": "s", "socket_id": null}, "request": {}})");
  REQUIRE(t);
  CHECK(t->event_id == "t");
  CHECK(t->stream_id.empty());
  CHECK(t->external_events == "[]");
  CHECK(t->text.empty());
}

TEST_CASE("an empty array that has been through Lua is an object") {
  auto t = chat_task::parse(
      R"({"meta": {"task_id": "t"}, "routing": {"session_id": "s"}, "request": {"external_events": {}, "chat_history": {}}})");
  REQUIRE(t);
  CHECK(t->external_events == "[]");
}

TEST_CASE("what is missing is named by its path") {
  auto fault = [](std::string_view json) { return chat_task::parse(json).error().message(); };
  CHECK(fault("{}") == "meta: is missing");
  CHECK(fault(R"({"meta": {}})") == "meta.task_id: is missing");
  CHECK(fault(R"({"meta": {"task_id": 1}})") == "meta.task_id: expected text, found an integer");
  CHECK(fault(R"({"meta": {"task_id": "t"}, "routing": {}})") == "routing.session_id: is missing");
  CHECK(fault(R"({"meta": {"task_id": "t"}, "routing": {"session_id": "s"}})") == "request: is missing");
  CHECK(fault(R"({"meta": {"task_id": "t"}, "routing": {"session_id": "s"}, "request": {"external_events": 5}})") ==
        "request.external_events: expected an array, found an integer");
}

TEST_CASE("an event has the platform's envelope, and the same id for every copy of the task") {
  chat_task t{
      .task_id = "t1", .session_id = "s", .conversation_id = "c", .turn_id = "turn", .stream_id = "me", .event_id = "e1"};
  auto m = chat_event(t, {.step = "count", .status = "completed", .title = "Counted", .data = R"({"n": 1})"});
  CHECK(m.id == "e1:chat.step:count");
  CHECK(m.event == "chat_step");
  CHECK(m.session_id == "s");
  CHECK(m.target_sid == "me");
  t.task_id = "t2";
  CHECK(chat_event(t, {.step = "count"}).id == m.id);
  CHECK(chat_event(t, {.type = "chat.complete"}).id == "e1:chat.complete");
  auto data = json_document::parse(m.data);
  REQUIRE(data);
  auto o = *data->root().object();
  CHECK(*o.text("type") == "chat.step");
  CHECK(o.text("timestamp")->ends_with("Z"));
  CHECK(*o.integer("ts") > 1500000000000);
  CHECK(*o.object("service")->text("request_id") == "t1");
  CHECK(*o.object("conversation")->text("turn_id") == "turn");
  CHECK(*o.object("event")->text("title") == "Counted");
  CHECK(*o.object("data")->integer("n") == 1);
}
