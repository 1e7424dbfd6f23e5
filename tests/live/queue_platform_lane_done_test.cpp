/// What becomes of a conversation's lane of events when a message of it is settled.

#include "queue_platform_lane_fixture.hpp"

using namespace corbel;
using namespace corbel::test;

TEST_CASE("a lane that became something else does not keep its message from being settled") {
  lane_fixture f;
  f.lane.put("e1", 1, "w1");
  auto m = f.claim_one();
  f.server.command({"SET", f.lane.key(), "text"});
  CHECK(f.settle(settle::done, m) == 1);
  CHECK_FALSE(f.exists(platform_conversation_lock("u", "c")));
  CHECK(f.stats().in_flight == 0);
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
