/// The platform layout, step by step, beside the platform's own workers: put, claim, locks, settling.

#include "json/document.hpp"
#include "queue_platform_fixture.hpp"

#include <unistd.h>

using namespace corbel;
using namespace corbel::test;
using detail::claimed_message;

namespace {

const std::string own = "t:p:corbel:queue:";
std::string our_token(const std::string &id) { return "ours:" + std::to_string(::getpid()) + ":" + id; }

using names = std::vector<std::string>;

}  // namespace

TEST_CASE("what we put is claimed and acknowledged by the platform's steps, bytes untouched") {
  platform_fixture f;
  const auto body = platform_task("a", "c", "paid", R"(, "text": "\u00e4 \/ ä", "x":  1e2)");
  REQUIRE(f.put(f.item(body)).refused.empty());
  CHECK(f.get("t:p:kdcube:system:capacity:counter") == "1");
  auto task = f.theirs.claim("paid");
  REQUIRE(task);
  CHECK(task->raw == body);
  CHECK(task->id == "a");
  f.theirs.start(*task);
  f.theirs.acknowledge(*task);
  CHECK(f.stats().ready == 0);
  CHECK(f.stats().in_flight == 0);
}

TEST_CASE("what the platform put is claimed with its locks, and nothing is left of it") {
  platform_fixture f;
  const auto body = platform_task("a", "c");
  platform_enqueue(f.server, "registered", body);
  auto m = f.claim_one(20s);
  CHECK(m->id == "a");
  CHECK(m->delivered() == body);
  CHECK(m->group == "c");
  CHECK(m->attempt == 1);
  CHECK(f.ours->lanes()[m->lane].name == "registered");
  CHECK(m->put_at.time_since_epoch() == 1760000000250ms);
  CHECK(f.get(platform_lock + "a") == our_token("a"));
  CHECK(f.get(platform_conversation_lock("u", "c")) == our_token("a"));
  const auto ttl = f.server.command({"PTTL", platform_lock + "a"}).number;
  CHECK((ttl > 15000 && ttl <= 20000));
  CHECK(f.theirs.in_flight("registered") == 1);
  CHECK(f.settle(settle::done, m) == 1);
  CHECK(f.theirs.in_flight("registered") == 0);
  CHECK(f.server.command({"PTTL", platform_lock + "a"}).number <= 3000);
  CHECK_FALSE(f.exists(platform_conversation_lock("u", "c")));
  CHECK(f.own_keys() == names{own + "token"});
  CHECK(f.settle(settle::done, m) == -1);
}

TEST_CASE("the safe form of names, and who the user is, are the platform's") {
  platform_fixture f;
  const std::string body =
      R"({"meta": {"task_id": "a"}, "routing": {"session_id": " s 1/2 "}, "user": {"fingerprint": "f:p"}, "actor": {}})";
  f.server.command({"LPUSH", platform_queue + "anonymous", body});
  auto m = f.claim_one();
  CHECK(f.exists(platform_conversation_lock("f_p", "s_1_2")));
  CHECK(f.settle(settle::done, m) == 1);
}

TEST_CASE("where the queue interrupts, a message that is handed out is marked as started") {
  platform_fixture f;
  auto options = f.options();
  options.crashed = after_crash::interrupt;
  auto by = f.protocol(options);
  platform_enqueue(f.server, "registered", platform_task("a", "c"));
  auto m = f.claim_one(by);
  auto document = json_document::parse(f.get(platform_lock + "started:a"));
  REQUIRE(document);
  auto mark = *document->root().object();
  CHECK(*mark.text("task_id") == "a");
  CHECK(*mark.text("request_id") == "r-a");
  CHECK(*mark.number("started_at") > 1.7e9);
  CHECK(*mark.text("tenant") == "t");
  CHECK(*mark.text("project") == "p");
  CHECK(*mark.text("conversation_id") == "c");
  CHECK(*mark.text("turn_id") == "turn-a");
  CHECK(*mark.text("session_id") == "s");
  CHECK(*mark.text("by_instance") == "ours:" + std::to_string(::getpid()));
  CHECK(f.server.command({"TTL", platform_lock + "started:a"}).number > 2700);
  CHECK(f.settle(settle::done, m, by) == 1);
  CHECK_FALSE(f.exists(platform_lock + "started:a"));

  platform_enqueue(f.server, "registered", platform_task("b"));
  f.claim_one();
  CHECK_FALSE(f.exists(platform_lock + "started:b"));  // the platform's reaper would drop what is to be tried again
}

TEST_CASE("a message whose conversation the platform works waits aside, without blocking others") {
  platform_fixture f;
  platform_enqueue(f.server, "registered", platform_task("a", "c"));
  auto running = f.theirs.claim("registered");
  REQUIRE(running);
  platform_enqueue(f.server, "registered", platform_task("b", "c"));
  platform_enqueue(f.server, "registered", platform_task("d", "c"));
  platform_enqueue(f.server, "registered", platform_task("e", "other"));
  CHECK(f.claim_one()->id == "e");
  CHECK(f.stats().parked == 2);
  CHECK(f.stats().ready == 0);
  CHECK(f.promote().moved == 0);
  f.theirs.acknowledge(*running);
  REQUIRE(until(patience, [&] { return f.promote().moved == 1; }));
  auto b = f.claim_one();
  CHECK(b->id == "b");
  CHECK(f.settle(settle::done, b) == 1);
  CHECK(f.claim_one()->id == "d");
  CHECK(f.stats().parked == 0);
}

TEST_CASE("a conversation runs one message at a time, in order, also when one is tried again at once") {
  platform_fixture f;
  for (const char *id : {"a", "b", "d"}) platform_enqueue(f.server, "registered", platform_task(id, "c"));
  auto a = f.claim_one();
  CHECK(a->id == "a");
  CHECK(f.claim().messages.empty());
  CHECK(f.stats().parked == 2);
  CHECK(f.settle(settle::retry, a) == 1);
  a = f.claim_one();
  CHECK(a->id == "a");
  CHECK(a->attempt == 2);
  CHECK(f.settle(settle::hand_back, a) == 1);
  a = f.claim_one();
  CHECK(a->attempt == 2);
  CHECK(f.settle(settle::done, a) == 1);
  auto b = f.claim_one();
  CHECK(b->id == "b");
  CHECK(f.settle(settle::bury, b) == 1);
  CHECK(f.claim_one()->id == "d");
}

TEST_CASE("one that comes when the conversation is free again stays behind those that wait for it") {
  platform_fixture f;
  platform_enqueue(f.server, "registered", platform_task("a", "c"));
  auto running = f.theirs.claim("registered");
  platform_enqueue(f.server, "registered", platform_task("b", "c"));
  CHECK(f.claim().messages.empty());
  CHECK(f.promote().moved == 0);  // its lock was looked at a moment ago
  f.theirs.acknowledge(*running);
  platform_enqueue(f.server, "registered", platform_task("d", "c"));
  auto b = f.claim_one();
  CHECK(b->id == "b");
  CHECK(f.settle(settle::done, b) == 1);
  CHECK(f.claim_one()->id == "d");
}

TEST_CASE("a woken message that the platform takes does not keep the others of its conversation") {
  platform_fixture f;
  platform_enqueue(f.server, "registered", platform_task("a", "c"));
  for (const char *id : {"b", "d"}) platform_enqueue(f.server, "registered", platform_task(id, "c"));
  auto a = f.claim_one();
  CHECK(f.settle(settle::done, a) == 1);  // b is ready, d waits
  auto b = f.theirs.claim("registered");
  REQUIRE(b);
  CHECK(b->id == "b");
  f.theirs.acknowledge(*b);
  REQUIRE(until(patience, [&] { return f.promote().moved == 1; }));
  CHECK(f.claim_one()->id == "d");
}

TEST_CASE("a message whose lock another has waits aside until it is free, so two of the same id never run at once") {
  platform_fixture f;
  platform_enqueue(f.server, "registered", platform_task("a", "", "registered", R"(, "copy": 1)"));
  platform_enqueue(f.server, "registered", platform_task("a", "", "registered", R"(, "copy": 2)"));
  auto first = f.claim_one();
  CHECK(f.claim().messages.empty());
  CHECK(f.stats().parked == 1);
  CHECK(f.settle(settle::done, first) == 1);
  f.expire("a");  // the lock of what was acknowledged stays for a moment
  REQUIRE(until(patience, [&] { return f.promote().moved == 1; }));
  auto second = f.claim_one();
  CHECK(second->element != first->element);
  CHECK(second->token > first->token);
  CHECK(f.settle(settle::done, second) == 1);

  f.server.command({"SET", platform_lock + "z", "somebody", "PX", "300"});
  platform_enqueue(f.server, "paid", platform_task("z"));
  CHECK(f.claim().messages.empty());
  REQUIRE(until(patience, [&] { return f.promote().moved == 1; }));
  CHECK(f.claim_one()->id == "z");
}

TEST_CASE("what is no task goes to the dead list with a reason") {
  platform_fixture f;
  const std::string binary("\0{\xff", 3);
  f.server.command({"LPUSH", platform_queue + "external", "no json", R"({"meta": {}})", "[1]", "7", binary});
  platform_enqueue(f.server, "external", platform_task("a"));
  CHECK(f.claim_one()->id == "a");
  auto page = f.dead();
  REQUIRE(page.messages.size() == 5);
  CHECK(page.messages[0].body == "no json");
  CHECK(page.messages[0].reason == "it cannot be worked: it is no JSON object");
  CHECK(page.messages[1].reason == "it cannot be worked: it has no task id");
  CHECK(page.messages[4].body == binary);
  CHECK(page.messages[4].lane == "external");
  CHECK(f.stats().in_flight == 1);
  CHECK(f.run(f.ours->purge({page.messages[0].number})).root()[0].integer() == 1);
  CHECK(f.run(f.ours->requeue({})).root()[0].integer() == 4);
  CHECK(f.stats().ready == 4);
  CHECK(f.stats().dead == 0);
}

TEST_CASE("attempts are counted; after too many a message is dead with its history; put back it begins anew") {
  platform_fixture f;
  auto options = f.options();
  options.max_attempts = 2;
  auto by = f.protocol(options);
  platform_enqueue(f.server, "registered", platform_task("a", "c"));
  auto m = f.claim_one(by);
  CHECK(f.settle(settle::retry, m, by, "+30") == 1);
  CHECK(f.stats().delayed == 1);
  CHECK(f.claim().messages.empty());
  REQUIRE(until(patience, [&] { return f.promote().moved == 1; }));
  m = f.claim_one(by);
  CHECK(m->attempt == 2);
  CHECK(f.settle(settle::retry, m, by) == 1);
  auto page = f.dead();
  REQUIRE(page.messages.size() == 1);
  CHECK(page.messages[0].id == "a");
  CHECK(page.messages[0].group == "c");
  CHECK(page.messages[0].attempts == 2);
  CHECK(page.messages[0].reason == "attempt 2 of 2: because");
  REQUIRE(page.messages[0].history.size() == 2);
  CHECK(page.messages[0].history[1].by == "me");
  CHECK(f.run(f.ours->requeue({page.messages[0].number})).root()[0].integer() == 1);
  CHECK(f.claim_one(by)->attempt == 1);
}

TEST_CASE("nothing is claimed where as many are in flight as may be") {
  platform_fixture f;
  auto options = f.options();
  options.max_in_flight = 2;
  auto by = f.protocol(options);
  for (const char *id : {"a", "b", "d"}) platform_enqueue(f.server, "registered", platform_task(id));
  platform_enqueue(f.server, "paid", platform_task("e", "", "paid"));
  auto answer = f.claim(by, 10);
  CHECK(answer.messages.size() == 3);
  CHECK(answer.full);
  CHECK(answer.left == 1);
  auto again = f.claim(by, 10);
  CHECK(again.messages.empty());
  CHECK(again.full);
}

TEST_CASE("what a claim took whose answer was lost is given back in its order, uncounted") {
  platform_fixture f;
  for (const char *id : {"a", "b", "d"}) platform_enqueue(f.server, "registered", platform_task(id, id));
  auto lost = f.claim(2);
  REQUIRE(lost.messages.size() == 2);
  CHECK(f.run(f.ours->recall("c" + std::to_string(f.claims))).root().integer() == 2);
  CHECK(f.run(f.ours->recall("c" + std::to_string(f.claims))).root().integer() == 0);
  CHECK(f.theirs.in_flight("registered") == 0);
  auto again = f.claim();
  REQUIRE(again.messages.size() == 3);
  CHECK(again.messages[0].id == "a");
  CHECK(again.messages[0].attempt == 1);
  CHECK(again.messages[1].id == "b");
  CHECK(again.messages[2].id == "d");
}

TEST_CASE("a message that other hands put back although the lock is ours is removed with its acknowledge") {
  platform_fixture f;
  const auto body = platform_task("a");
  platform_enqueue(f.server, "registered", body);
  auto m = f.claim_one();
  f.theirs.put_back({"registered", body, "a", ""});
  SUBCASE("while it is ready") {}
  SUBCASE("while it waits aside") { CHECK(f.claim().messages.empty()); }
  CHECK(f.settle(settle::done, m) == 1);
  CHECK(f.stats().ready == 0);
  CHECK(f.stats().parked == 0);
  CHECK(f.claim().messages.empty());
}

TEST_CASE("a full server takes no put, and lets what it has be worked") {
  platform_fixture f;
  for (const char *id : {"a", "b", "d"}) platform_enqueue(f.server, "registered", platform_task(id, "c"));
  auto a = f.claim_one();
  f.server.command({"CONFIG", "SET", "maxmemory", "1"});
  CHECK(f.put(f.item(platform_task("z"))).refused == "queue_push_failed");
  CHECK(f.lost_by_renewal(a) == 0);
  CHECK(f.settle(settle::retry, a, "+1") == 1);
  REQUIRE(until(patience, [&] { return f.promote().moved > 0; }));
  for (int i = 0; i < 3; ++i) {
    auto m = f.claim_one();
    CHECK(f.settle(i == 1 ? settle::bury : settle::done, m) == 1);
  }
  CHECK(f.stats().ready == 0);
  CHECK(f.stats().dead == 1);
}
