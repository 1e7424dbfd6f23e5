#include "operations/lane_event.hpp"

#include "json/document.hpp"
#include "queue/platform/payload.hpp"

#include <doctest/doctest.h>

using namespace corbel;

namespace {

chat_task task() {
  return {.task_id = "t1",
          .created_at = 1700000000.25,
          .instance_id = "i",
          .bundle_id = "b",
          .session_id = "s",
          .conversation_id = "c 1",
          .turn_id = "turn",
          .tenant = "home",
          .project = "demo",
          .user_type = "paid",
          .fingerprint = "f:1",
          .event_id = "e/1",
          .external_events = R"([{"event_id": "e/1", "type": "event.user.prompt", "timestamp": "1999-01-01T00:00:00Z",)"
                             R"( "payload": {"event": {"text": "one"}}}, {"payload": {"event": "two"}}])",
          .text = "one\ntwo"};
}

struct reading {
  explicit reading(const std::string &json)
      : document(json_document::parse(json).value()), top(document.root().object().value()) {}
  json_document document;
  json_object top;
};

}  // namespace

TEST_CASE("the wake-up names the event in its lane, the record holds the whole task") {
  const auto t = task();
  const auto item = lane_item(t, {}, 7);
  CHECK(item.id == "t1");
  CHECK(item.group.empty());
  CHECK(item.events.conversation == "c 1");
  CHECK(item.events.user == "f:1");
  REQUIRE(item.events.events.size() == 1);
  CHECK(item.events.events[0].id == "e_1");
  CHECK(lane_sequence_key(t) ==
        "home:demo:kdcube:chat:conversation:external-events:seq:c_1:user:f_1:agent:default.react.agent");

  const auto read = detail::read_platform_task(item.body);
  REQUIRE(read);
  CHECK(read->id == "t1");
  CHECK(read->user_type == "paid");
  CHECK(read->conversation == "c 1");
  const reading woken(item.body);
  const auto lane = woken.top.object("event_lane").value();
  CHECK(lane.text("event_id").value() == "e_1");
  CHECK(lane.text("user_id").value() == "f:1");
  CHECK(lane.integer("sequence").value() == 7);

  // What a worker gets of the two.
  const auto delivered = chat_task::parse(detail::resolve_wake_up(item.events.events[0].record, item.body));
  REQUIRE(delivered);
  CHECK(delivered->text == "one\ntwo");
  CHECK(delivered->task_id == "t1");
  CHECK(delivered->turn_id == "turn");
  CHECK(delivered->event_id == "e_1");
}

TEST_CASE("the record's time is the host's: by a client's clock the event might be older than what was worked") {
  const reading kept(lane_item(task(), {}, 1).events.events[0].record);
  const auto event = kept.top.object("payload")->object("event").value();
  CHECK(event.text("timestamp").value() == "2023-11-14T22:13:20.250000Z");
  CHECK(event.text("type").value() == "event.user.prompt");
  CHECK(kept.top.number("created_at").value() == 1700000000.25);
  CHECK_FALSE(kept.top.find("consumed_at"));
}

TEST_CASE("a message to a conversation that is in progress is told as its continuation") {
  const auto item = lane_item(task(), {.ours = false, .told = true, .active_turn = "turn 0"}, 2);
  const reading woken(item.body), kept(item.events.events[0].record);
  const auto continuation = woken.top.object("continuation").value();
  CHECK(continuation.find("is_continuation")->boolean().value());
  CHECK(continuation.text("active_turn_id").value() == "turn 0");
  CHECK(kept.top.text("target_turn_id").value() == "turn 0");
}
