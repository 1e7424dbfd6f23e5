/// Wake-ups of the platform, resolved through a conversation's lane of events.

#include "queue_platform_lane_fixture.hpp"

using namespace corbel;
using namespace corbel::test;

TEST_CASE("a wake-up is delivered as the task of its event, and done it leaves the lane to the next one") {
  lane_fixture f;
  f.server.command({"XGROUP", "CREATE", f.lane.key(), f.group, "0-0", "MKSTREAM"});
  f.lane.put("e1", 1, "w1");
  f.server.command({"XREADGROUP", "GROUP", f.group, "somebody", "STREAMS", f.lane.key(), ">"});
  const auto record = f.get(f.lane.key() + ":event:e1");
  auto m = f.claim_one();
  CHECK(m->id == "w1");
  CHECK(m->ignored.empty());
  CHECK(m->element == f.lane.wake_up("e1", 1, "w1"));
  const std::string body(m->delivered());
  CHECK(f.at(body, {"meta", "task_id"}) == "task-of-e1");
  CHECK(f.at(body, {"event", "kind"}) == "external_event");
  CHECK(f.at(body, {"event", "event_id"}) == "e1");
  CHECK(f.at(body, {"event", "sequence"}) == "1");
  CHECK(f.at(body, {"event", "agent_id"}) == "default.react.agent");
  CHECK(f.at(body, {"event", "event_source_id"}) == "react.external_event");
  CHECK(f.at(body, {"event", "source"}) == "processor.external_event_lane_wakeup");
  CHECK(f.at(body, {"event", "reactive"}) == "a boolean");
  CHECK(f.at(body, {"bundle_call_context", "kept"}) == "an array");
  CHECK(f.at(body, {"bundle_call_context", "event_lane_wakeup", "meta", "task_id"}) == "w1");
  CHECK(f.at(body, {"request", "external_events"}) == "an array");

  CHECK(f.lane.state("consumer_status") == "scheduled");
  CHECK(f.lane.state("consumer_status_at").substr(0, 16) == f.ago(0s).substr(0, 16));
  CHECK(f.server.command({"TTL", f.lane.key() + ":state"}).number > 604000);

  CHECK(f.settle(settle::done, m) == 1);
  CHECK(f.lane.state("consumer_status") == "none");
  CHECK(f.lane.of_event("e1", "consumed_by_turn_id") == "turn-task-of-e1");
  CHECK_FALSE(f.lane.of_event("e1", "consumed_at").empty());
  auto now = f.get(f.lane.key() + ":event:e1");  // nothing else of the record was touched
  const auto from = now.find("\"consumed_at\": ") + 15;
  now.replace(from, now.find(',', from) - from, "null");
  const auto turn = now.find("\"turn-task-of-e1\"", now.find("consumed_by"));
  now.replace(turn, 17, "null");
  CHECK(now == record);
  CHECK(f.server.command({"XPENDING", f.lane.key(), f.group}).elements.at(0).number == 0);
  CHECK(f.stats().ready + f.stats().in_flight == 0);
}

TEST_CASE("a wake-up whose event was handled before, or cannot be, is acknowledged and told") {
  lane_fixture f;
  f.lane.put("e1", 1, "w1");
  SUBCASE("consumed") {
    f.change("e1", "\"consumed_at\": null", "\"consumed_at\": 1.5");
    f.check_ignored("event_already_consumed");
  }
  SUBCASE("promoted") {
    f.change("e1", "\"promoted_at\": null", "\"promoted_at\": \"2026-01-01T00:00:00Z\"");
    f.check_ignored("event_already_promoted");
  }
  SUBCASE("failed") {
    f.change("e1", "\"failed_at\": null", "\"failed_at\": 1");
    f.check_ignored("event_failed");
  }
  SUBCASE("a control of a turn") {
    f.change("e1", "event.user.prompt", "event.user.steer");
    f.check_ignored("active_turn_control_not_promotable");
  }
  SUBCASE("before what was processed last") {
    f.lane.set_state("none", "", "2026-01-31T11:20:30.000+01:00");  // the event's own time, in another zone
    f.check_ignored("wake_already_processed");
  }
}

TEST_CASE("an event after what was processed last is worked, whatever the form of the times") {
  lane_fixture f;
  f.lane.put("e1", 1, "w1");
  std::string processed;
  SUBCASE("zone") { processed = "2026-01-31T11:20:29.9+01:00"; }
  SUBCASE("number") { processed = "1769854829.5"; }
  SUBCASE("leap day") { processed = "2024-02-29T23:59:59Z"; }
  SUBCASE("no time at all") { processed = "soon"; }
  f.lane.set_state("none", "", processed);
  CHECK(f.claim_one()->ignored.empty());
}

TEST_CASE("a wake-up without its event's record goes to the dead list") {
  lane_fixture f;
  f.lane.put("e1", 1, "w1");
  f.server.command({"DEL", f.lane.key() + ":event:e1"});
  CHECK(f.claim().messages.empty());
  auto page = f.dead();
  REQUIRE(page.messages.size() == 1);
  CHECK(page.messages[0].reason == "it cannot be worked: the record of its event is missing");
  CHECK(page.messages[0].id == "w1");
  CHECK(f.stats().in_flight == 0);
}

TEST_CASE("a record that is no JSON sends its wake-up to the dead list; one without a task is delivered as the wake-up") {
  lane_fixture f;
  f.lane.put("e1", 1, "w1");
  SUBCASE("no JSON") {
    f.server.command({"SET", f.lane.key() + ":event:e1", "text"});
    CHECK(f.claim().messages.empty());
    CHECK(f.dead().messages.at(0).reason.find("it cannot be worked: ") == 0);
  }
  SUBCASE("no task") {
    f.server.command({"SET", f.lane.key() + ":event:e1", R"( {"s": "\\\"}", "a": [{"x": "]"}, {}], "n": 1e400 } )"});
    auto m = f.claim_one();
    CHECK(m->delivered() == f.lane.wake_up("e1", 1, "w1"));
    CHECK(f.settle(settle::done, m) == 1);
    const auto record = f.get(f.lane.key() + ":event:e1");  // what it did not have was added at its end
    CHECK(record.find(R"( {"s": "\\\"}", "a": [{"x": "]"}, {}], "n": 1e400 , "consumed_at": 1)") == 0);
    CHECK(record.find(R"(, "consumed_by_turn_id": "turn-e1"} )") != record.npos);
  }
  SUBCASE("nothing in it") {
    f.server.command({"SET", f.lane.key() + ":event:e1", "{}"});
    CHECK(f.settle(settle::done, f.claim_one()) == 1);
    CHECK(f.lane.of_event("e1", "consumed_by_turn_id") == "turn-e1");
  }
}

TEST_CASE("while another has the state's lock a wake-up waits, and comes in order") {
  lane_fixture f;
  f.lane.put("e1", 1, "w1");
  f.lane.put("e2", 2, "w2");
  f.lane.lock_state(10s);
  auto answer = f.claim();
  CHECK(answer.messages.empty());
  CHECK(answer.full);  // so that the consumer comes again in a moment
  CHECK(f.get(f.lane.key() + ":state").empty());
  CHECK(f.claim().messages.empty());
  f.lane.unlock_state();
  detail::claim_answer got;
  REQUIRE(until(patience, [&] {
    got = f.claim();
    return !got.messages.empty();
  }));
  REQUIRE(got.messages.size() == 1);
  CHECK(got.messages[0].id == "w1");
  CHECK(got.messages[0].attempt == 1);
}

TEST_CASE("a consumer that is scheduled or active just now is waited for rather than the event dropped") {
  lane_fixture f;
  f.lane.put("e1", 1, "w1");
  SUBCASE("fresh") {
    f.lane.set_state("active", f.ago(10s));
    CHECK(f.claim().messages.empty());
    CHECK(f.stats().parked == 1);
    f.change("e1", "\"consumed_at\": null", "\"consumed_at\": 1.5");  // by that consumer
    REQUIRE(until(patience, [&] { return f.promote().moved == 1; }));
    CHECK(f.claim_one()->ignored == "event_already_consumed");
  }
  SUBCASE("older than 30 s") {
    f.lane.set_state("scheduled", f.ago(31s));
    CHECK(f.claim_one()->ignored.empty());
  }
}

TEST_CASE("our put with its events is resolved like the platform's") {
  lane_fixture f;
  auto i = f.item(f.lane.wake_up("e1", 1, "w1"));
  i.events = {.conversation = "c", .user = "u", .agent = {}, .events = {{"e1", f.lane.record("e1", 1)}}};
  CHECK(f.put(i).refused.empty());
  CHECK(f.at(std::string(f.claim_one()->delivered()), {"meta", "task_id"}) == "task-of-e1");
}
