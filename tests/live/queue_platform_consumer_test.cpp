/// Producer and consumer on the platform's queue.

#include "live/queue_platform_fleet.hpp"
#include "queue/protocol.hpp"

#include <map>
#include <mutex>

using namespace corbel;
using namespace corbel::test;

TEST_CASE_FIXTURE(fleet_fixture, "a producer's task is worked by a consumer; its receipt names the task") {
  producer in(pool, options());
  put_item item;
  item.body = platform_task("a", "c", "paid");
  auto receipt = now(in.async_put(std::move(item), boost::asio::use_future));
  REQUIRE_MESSAGE(receipt, receipt.error().message());
  CHECK(receipt->ids == std::vector<std::string>{"a"});
  CHECK(receipt->depth == 1);
  CHECK(now(in.async_depth({}, boost::asio::use_future)).value() == 1);
  consumer out(pool, options());
  auto m = take(out);
  CHECK(m.id() == "a");
  CHECK(m.lane() == "paid");
  CHECK(m.group() == "c");
  CHECK(m.body() == platform_task("a", "c", "paid"));
  CHECK(settled(m));
  CHECK(nothing_left());
}

TEST_CASE_FIXTURE(fleet_fixture, "a put that the fleet cannot hold is refused with the platform's reason") {
  auto o = options();
  o.admission = queue_admission{};
  o.admission->capacity = 2;
  producer in(pool, o);
  auto put = [&](const std::string &id) {
    put_item item;
    item.body = platform_task(id);
    return now(in.async_put(std::move(item), boost::asio::use_future));
  };
  CHECK(put("a"));
  auto refused = put("b");  // floor(2 x 0.8) = 1
  REQUIRE_FALSE(refused);
  CHECK(refused.error().is(status::busy));
  CHECK(refused.error().native() == "registered_threshold_exceeded");
}

TEST_CASE_FIXTURE(fleet_fixture, "an idle consumer gets what the platform puts at once, of any user type") {
  consumer out(pool, options());
  for (const char *type : {"external", "privileged", "paid"}) {
    auto waiting = taking(out);
    REQUIRE(until(patience, [&] { return peeking() == 5; }));
    const auto began = std::chrono::steady_clock::now();
    enqueue(type, "", type);
    auto m = now(std::move(waiting));
    REQUIRE(m);
    CHECK(std::chrono::steady_clock::now() - began < 500ms);  // not found by a poll
    CHECK(m->lane() == type);
    CHECK(settled(*m));
  }
}

TEST_CASE_FIXTURE(fleet_fixture, "a wake-up is delivered as its task; one that is ignored is told and never delivered") {
  platform_lane lane(server, "c");
  std::mutex mutex;
  std::vector<std::string> told;
  auto o = options();
  o.ignored = [&](const std::string &id, const std::string &body, const std::string &reason) {
    std::lock_guard lock(mutex);
    told.push_back(id + " " + reason + " " + std::to_string(body.find("task-of-e1") != body.npos));
  };
  consumer out(pool, o);
  lane.put("e1", 1, "w1");
  auto m = take(out);
  CHECK(m.body().find("task-of-e1") != std::string::npos);
  CHECK(settled(m));
  platform_enqueue(server, "registered", lane.wake_up("e1", 1, "w2"), {.capacity = 100});
  enqueue("b");
  auto next = take(out);
  CHECK(next.id() == "b");
  CHECK(settled(next));
  CHECK(until(patience, [&] { return nothing_left(); }));
  std::lock_guard lock(mutex);
  CHECK(told == std::vector<std::string>{"w2 event_already_consumed 1"});
}

TEST_CASE_FIXTURE(fleet_fixture, "a message of a conversation that the platform works comes when that is done") {
  platform_worker theirs(server);
  enqueue("a", "c");
  auto running = theirs.claim("registered");
  REQUIRE(running);
  enqueue("b", "c");
  consumer out(pool, options());
  auto waiting = taking(out);
  REQUIRE(until(patience, [&] { return server.command({"GET", "t:p:corbel:queue:parked"}).text == "1"; }));
  theirs.acknowledge(*running);
  auto m = now(std::move(waiting));
  REQUIRE(m);
  CHECK(m->id() == "b");
  CHECK(settled(*m));
}

TEST_CASE_FIXTURE(fleet_fixture, "what a lost process of ours held is worked by another") {
  auto o = options();
  o.lease = 1s;
  for (int i = 0; i < 4; ++i) enqueue("m" + std::to_string(i), "c" + std::to_string(i % 2));
  {
    // A process that claimed and is gone: its claim is made by hand, so nothing gives it back.
    auto by = detail::make_platform_protocol(o, "gone");
    detail::claim_request r{.most = 2, .lease = 1s, .claim = "x", .turns = {{1, 2}}};
    auto call = by->claim(r);
    REQUIRE(now(async_run(pool, call.script, std::move(call.command), {}, boost::asio::use_future)));
    REQUIRE(number({"LLEN", platform_queue + "inflight:registered"}) == 2);
  }
  consumer out(pool, o);
  std::map<std::string, std::uint32_t> attempts;
  for (int i = 0; i < 4; ++i) {
    auto m = take(out);
    attempts[m.id()] = m.attempt();
    CHECK(settled(m));
  }
  CHECK(attempts == std::map<std::string, std::uint32_t>{{"m0", 2}, {"m1", 2}, {"m2", 1}, {"m3", 1}});
  CHECK(until(patience, [&] { return nothing_left(); }));
}

TEST_CASE_FIXTURE(fleet_fixture, "a long message keeps its lease, its lock with it") {
  auto o = options();
  o.lease = 1s;
  consumer out(pool, o);
  enqueue("a", "c");
  auto m = take(out);
  auto lost = m.async_wait_lost(boost::asio::use_future);
  CHECK(lost.wait_for(2500ms) == std::future_status::timeout);
  CHECK(number({"EXISTS", platform_lock + "a", platform_conversation_lock("u", "c")}) == 2);
  server.command({"SET", platform_lock + "a", "another"});
  CHECK(now(std::move(lost)).value());
  CHECK_FALSE(settled(m));
}

TEST_CASE_FIXTURE(fleet_fixture, "user types take turns by their weights") {
  auto o = options();
  o.lanes = {{.name = "privileged", .weight = 3}};
  for (int i = 0; i < 40; ++i) {
    enqueue("p" + std::to_string(i), "", "privileged");
    enqueue("e" + std::to_string(i), "", "external");
  }
  consumer out(pool, o);
  int privileged = 0;
  for (int i = 0; i < 20; ++i) {
    auto m = take(out);
    privileged += m.lane() == "privileged";
    CHECK(settled(m));
  }
  CHECK(privileged >= 12);
  CHECK(privileged < 20);
}

TEST_CASE_FIXTURE(fleet_fixture, "10 MiB in one task, put by either side") {
  const auto large = platform_task("a", "", "registered", ", \"text\": \"" + std::string(10u << 20, 'x') + "\"");
  const auto theirs = platform_task("b", "", "registered", ", \"text\": \"" + std::string(10u << 20, 'y') + "\"");
  producer in(pool, options());
  put_item item;
  item.body = large;
  CHECK(now(in.async_put(std::move(item), boost::asio::use_future)));
  platform_enqueue(server, "registered", theirs);
  consumer out(pool, options());
  for (const auto *body : {&large, &theirs}) {
    auto m = take(out);
    CHECK((m.body() == *body));
    CHECK(settled(m));
  }
  CHECK(nothing_left());
}
