/// Wake-ups of the platform, resolved through a conversation's lane of events, and what is done for the lane afterwards.

#include "json/document.hpp"
#include "queue_platform_fixture.hpp"

#include <fmt/chrono.h>

using namespace corbel;
using namespace corbel::test;

namespace {

struct lane_fixture : platform_fixture {
  platform_lane lane{server, "c"};
  const std::string group = "react-external-promoter.v1";

  static std::string ago(std::chrono::seconds how_long) {
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}Z", fmt::gmtime(std::chrono::system_clock::now() - how_long));
  }
  std::string at(const std::string &json, const std::vector<std::string> &path) {
    auto document = json_document::parse(json);
    REQUIRE_MESSAGE(document, json);
    auto value = document->root();
    for (auto &name : path) {
      auto next = value.object()->find(name);
      if (!next) return {};
      value = *next;
    }
    if (value.kind() == json_kind::text) return std::string(*value.text());
    return value.kind() == json_kind::integer ? std::to_string(*value.integer()) : json_kind_name(value.kind());
  }
  /// The wake-up is told as ignored for this reason, and acknowledged without a trace in its lane.
  void check_ignored(const std::string &reason) {
    auto m = claim_one();
    CHECK(m->ignored == reason);
    const auto record = get(lane.key() + ":event:e1"), state = get(lane.key() + ":state");
    CHECK(settle(corbel::settle::done, m) == 1);
    CHECK(get(lane.key() + ":event:e1") == record);
    CHECK(get(lane.key() + ":state") == state);
    CHECK(stats().ready + stats().in_flight == 0);
  }
  void change(const std::string &event, const std::string &from, const std::string &to) {
    auto record = get(lane.key() + ":event:" + event);
    const auto at = record.find(from);
    REQUIRE(at != record.npos);
    server.command({"SET", lane.key() + ":event:" + event, record.replace(at, from.size(), to)});
  }
};

}  // namespace

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

TEST_CASE("a lane that became something else does not keep its message from being settled") {
  lane_fixture f;
  f.lane.put("e1", 1, "w1");
  auto m = f.claim_one();
  f.server.command({"SET", f.lane.key(), "text"});
  CHECK(f.settle(settle::done, m) == 1);
  CHECK_FALSE(f.exists(platform_conversation_lock("u", "c")));
  CHECK(f.stats().in_flight == 0);
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

TEST_CASE("done: later events that nothing wakes are woken, the eldest first; earlier ones that wake nobody are consumed") {
  lane_fixture f;
  f.lane.put("e0", 1, "w0", false);  // recorded only: its wake-up goes away
  f.server.command({"DEL", platform_queue + "registered"});
  f.lane.put("e1", 2, "w1");
  auto m = f.claim_one();
  f.lane.put("e2", 3, "w2");
  f.lane.put("e3", 4, "w3", false);
  f.lane.put("e4", 5, "w4");
  f.lane.put("e5", 6, "w5");
  f.server.command({"DEL", platform_queue + "registered"});
  f.change("e5", "\"consumed_at\": null", "\"consumed_at\": 1.5");
  CHECK(f.settle(settle::done, m) == 1);
  CHECK_FALSE(f.lane.of_event("e0", "consumed_at").empty());
  CHECK(f.lane.of_event("e3", "consumed_at").empty());
  CHECK(f.stats().ready == 2);
  auto second = f.theirs.move("registered");  // what the platform's worker would take next
  REQUIRE(second);
  CHECK(f.at(second->raw, {"kind"}) == "external_event_lane_wakeup");
  CHECK(f.at(second->raw, {"event_lane", "event_id"}) == "e2");
  CHECK(f.at(second->raw, {"event_lane", "sequence"}) == "3");
  CHECK(f.at(second->raw, {"event_lane", "conversation_id"}) == "c");
  CHECK(f.at(second->raw, {"routing", "turn_id"}) == "turn-task-of-e2");
  CHECK(f.at(second->raw, {"user", "roles"}) == "an array");
  CHECK(f.at(second->raw, {"reason"}) == "run_to_completion_handoff");
  CHECK(second->id.size() == 36);
  CHECK(second->conversation_lock == platform_conversation_lock("u", "c"));
  f.theirs.put_back(*second);
  for (const char *event : {"e2", "e4"}) {
    auto next = f.claim_one();
    CHECK(f.at(std::string(next->delivered()), {"event", "event_id"}) == event);
    CHECK(f.settle(settle::done, next) == 1);
  }
  CHECK(f.stats().ready == 0);
  CHECK_FALSE(f.lane.of_event("e3", "consumed_at").empty());
}

TEST_CASE("wake-ups that wait here are not doubled") {
  lane_fixture f;
  for (int i = 1; i <= 3; ++i) f.lane.put("e" + std::to_string(i), i, "w" + std::to_string(i));
  for (int i = 1; i <= 3; ++i) {
    auto m = f.claim_one();
    CHECK(m->id == "w" + std::to_string(i));
    CHECK(m->ignored.empty());
    CHECK(f.claim().messages.empty());
    CHECK(f.settle(settle::done, m) == 1);
  }
  CHECK(f.stats().ready + f.stats().parked + f.stats().in_flight == 0);
}

TEST_CASE("done while another has the state's lock: the lane is finished in a moment") {
  lane_fixture f;
  f.lane.put("e1", 1, "w1");
  auto m = f.claim_one();
  f.lane.put("e2", 2, "w2");
  f.server.command({"DEL", platform_queue + "registered"});
  f.lane.lock_state(10s);
  CHECK(f.settle(settle::done, m) == 1);
  CHECK_FALSE(f.lane.of_event("e1", "consumed_at").empty());
  CHECK(f.lane.state("consumer_status") == "scheduled");
  CHECK_FALSE(f.exists(platform_conversation_lock("u", "c")));
  auto next = f.promote();
  CHECK((next.next >= 0ms && next.next <= 20ms));
  CHECK(f.lane.state("consumer_status") == "scheduled");
  f.lane.unlock_state();
  REQUIRE(until(patience, [&] {
    f.promote();
    return f.lane.state("consumer_status") == "none";
  }));
  CHECK(f.stats().ready == 1);
}

TEST_CASE("a turn of another keeps its consumer") {
  lane_fixture f;
  f.lane.put("e1", 1, "w1");
  auto m = f.claim_one();
  auto state = f.get(f.lane.key() + ":state");
  const std::string empty = "\"handler_turn_id\": \"\"";
  state.replace(state.find(empty), empty.size(), "\"handler_turn_id\": \"another\"");
  f.server.command({"SET", f.lane.key() + ":state", state});
  CHECK(f.settle(settle::done, m) == 1);
  CHECK(f.lane.state("consumer_status") == "scheduled");
}

TEST_CASE("tried again, handed back, brought back: the event stays open and its lane free for it") {
  lane_fixture f;
  f.lane.put("e1", 1, "w1");
  auto m = f.claim_one();
  SUBCASE("tried again") { CHECK(f.settle(settle::retry, m) == 1); }
  SUBCASE("handed back") { CHECK(f.settle(settle::hand_back, m) == 1); }
  SUBCASE("brought back") {
    f.expire("w1");
    f.server.command({"DEL", platform_conversation_lock("u", "c")});
    CHECK(f.reap().back == 1);
  }
  SUBCASE("buried and put back") {
    CHECK(f.settle(settle::bury, m) == 1);
    CHECK(f.run(f.ours->requeue({})).root()[0].integer() == 1);
  }
  CHECK(f.lane.state("consumer_status") == "none");
  CHECK(f.lane.of_event("e1", "consumed_at").empty());
  CHECK(f.claim_one()->ignored.empty());
}

TEST_CASE("an interrupted wake-up is told with its task") {
  lane_fixture f;
  auto o = f.options();
  o.crashed = after_crash::interrupt;
  auto by = f.protocol(o);
  f.lane.put("e1", 1, "w1");
  auto m = f.claim_one(by);
  f.expire("w1");
  auto answer = f.reap(by, {.name = "me", .crashed = after_crash::interrupt});
  REQUIRE(answer.interrupted.size() == 1);
  CHECK(answer.interrupted[0].id == "w1");
  CHECK(answer.interrupted[0].body == m->delivered());
  CHECK(f.lane.state("consumer_status") == "none");
}

TEST_CASE("our put with its events is resolved like the platform's") {
  lane_fixture f;
  auto i = f.item(f.lane.wake_up("e1", 1, "w1"));
  i.events = {.conversation = "c", .user = "u", .agent = {}, .events = {{"e1", f.lane.record("e1", 1)}}};
  CHECK(f.put(i).refused.empty());
  CHECK(f.at(std::string(f.claim_one()->delivered()), {"meta", "task_id"}) == "task-of-e1");
}
