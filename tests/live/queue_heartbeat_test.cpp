/// Heartbeats as the platform's reader sees them.

#include "live/fleet_fixture.hpp"
#include "redis/pool_core.hpp"
#include "scripts/fleet_beat.hpp"

#include <boost/asio/post.hpp>

#include <atomic>
#include <cmath>
#include <memory>
#include <optional>

using namespace corbel;
using namespace corbel::test;

TEST_CASE_FIXTURE(fleet_fixture, "a proc at 4 of 5, and one at 5 of 5, count in full for the platform's reader") {
  queue_heartbeat busy(pool, beat("busy", 4)), full(pool, beat("full", 5));
  REQUIRE(is_told("busy"));
  REQUIRE(is_told("full"));
  CHECK(platform_reads() == std::pair(2, 28));
  auto text = server.command({"GET", process_key("busy")}).text;
  auto parsed = json_document::parse(text);
  REQUIRE(parsed);
  auto top = *parsed->root().object();
  CHECK(*top.text("instance_id") == "busy");
  CHECK(*top.integer("process_id") == ::getpid());
  CHECK(*top.integer("current_load") == 4);
  CHECK(*top.integer("max_capacity") == 5);
  CHECK(*top.text("health_status") == "ServiceHealth.HEALTHY");
  CHECK(std::abs(*top.number("last_heartbeat") - seconds_now()) < 20);
  const auto lives = server.command({"TTL", process_key("busy")}).number;
  CHECK(lives > 15);
  CHECK(lives <= 30);
  CHECK(server.command({"TTL", index_key}).number > 60);
  CHECK(server.command({"TTL", index_key}).number <= 75);
}

TEST_CASE_FIXTURE(fleet_fixture, "one that drains is gone at once, and says under its own key that it drains") {
  queue_heartbeat stays(pool, beat("stays")), leaves(pool, beat("leaves", 3));
  REQUIRE(is_told("stays"));
  REQUIRE(is_told("leaves"));
  REQUIRE(drain(leaves));
  CHECK(server.command({"ZSCORE", index_key, process_key("leaves")}).nil);
  CHECK(platform_reads() == std::pair(1, 14));
  CHECK(server.command({"EXISTS", process_key("leaves")}).number == 0);
  auto listed = server.command({"ZRANGE", "t:p:corbel:draining:index", "0", "-1"}).elements;
  REQUIRE(listed.size() == 1);
  CHECK(listed[0].text.starts_with("t:p:corbel:draining:leaves:chat:proc:"));
  auto said = server.command({"GET", listed[0].text}).text;
  CHECK(said.find(R"("draining": true)") != std::string::npos);
  CHECK(said.find(R"("current_load": 3)") != std::string::npos);
  // Nothing brings it back: neither another capacity nor a server that forgot everything.
  leaves.set_capacity(9);
  server.command({"FLUSHALL"});
  stays.set_capacity(10);
  leaves.set_capacity(10);
  REQUIRE(until(patience, [&] { return platform_reads() == std::pair(1, 28); }));
  REQUIRE(until(patience, [&] { return server.command({"EXISTS", listed[0].text}).number == 1; }));
  CHECK(platform_reads() == std::pair(1, 28));
}

TEST_CASE_FIXTURE(fleet_fixture, "a beat that the server gets after the drain does not bring the process back") {
  auto says = [&](const std::string &state) {
    return server
        .command({"EVAL", scripts::fleet_beat, "7", "process", "index", "instance", "instances", "draining", "drains",
                  "registry", state, R"({"last_heartbeat": )", "}", R"({"total_processes": )", "pro", "30", "75", ""})
        .number;
  };
  CHECK(says("working") == 1);
  CHECK(server.command({"EXISTS", "process", "index", "instance", "instances"}).number == 4);
  CHECK(says("draining") == 1);
  CHECK(says("working") == 0);
  CHECK(server.command({"EXISTS", "process", "index", "instance", "instances"}).number == 0);
  CHECK(server.command({"EXISTS", "draining", "drains"}).number == 2);
  CHECK(says("gone") == 1);
  CHECK(server.command({"DBSIZE"}).number == 0);
}

TEST_CASE_FIXTURE(fleet_fixture, "the registry has the port of an instance while one of its processes works there") {
  const std::string key = "t:p:kdcube:registry:i:chat";
  auto listed = [&](const std::string &port) { return server.command({"SISMEMBER", key, "localhost:" + port}).number == 1; };
  auto with_port = beat("i");
  with_port.port = 8020;
  std::optional<queue_heartbeat> one(std::in_place, pool, with_port);
  REQUIRE(until(patience, [&] { return listed("8020"); }));
  const auto lives = server.command({"TTL", key}).number;
  CHECK((lives > 15 && lives <= 30));
  queue_heartbeat unasked(pool, beat("j"));
  REQUIRE(is_told("j"));
  CHECK(server.command({"KEYS", "*registry*"}).elements.size() == 1);

  // A process that shares the port stays when this one drains.
  const auto other = process_key("i") + "0", said = server.command({"GET", process_key("i")}).text;
  server.command({"SET", other, said});
  server.command({"ZADD", index_key, std::to_string(seconds_now()), other});
  REQUIRE(drain(*one));
  CHECK(listed("8020"));
  server.command({"DEL", other});
  one.reset();
  CHECK(until(patience, [&] { return server.command({"EXISTS", key}).number == 0; }));
}

TEST_CASE_FIXTURE(fleet_fixture, "the instance's key sums its processes, and goes with the last one") {
  const std::string key = "t:p:kdcube:heartbeat:instance:i:chat:proc", all = "t:p:kdcube:heartbeat:instance:index";
  {
    queue_heartbeat one(pool, beat("i", 2));
    REQUIRE(is_told("i"));
    auto parsed = json_document::parse(server.command({"GET", key}).text);
    REQUIRE(parsed);
    auto top = *parsed->root().object();
    CHECK(*top.text("instance_id") == "i");
    CHECK(*top.text("service_type") == "chat");
    CHECK(*top.text("service_name") == "proc");
    CHECK(*top.integer("total_processes") == 1);
    CHECK(*top.integer("healthy_processes") == 1);
    CHECK(*top.integer("total_load") == 2);
    CHECK(*top.integer("total_capacity") == 5);
    CHECK(*top.text("overall_health") == "ServiceHealth.HEALTHY");
    CHECK(top.array("process_details")->size() == 1);
    CHECK(top.number("last_updated"));
    platform_writes("i", 5, 5, "ServiceHealth.UNHEALTHY");  // a sibling, and one of another instance
    platform_writes("i2", 1, 5, "ServiceHealth.HEALTHY");
    one.set_capacity(6);
    REQUIRE(until(patience, [&] {
      auto text = server.command({"GET", key}).text;
      return text.find(R"("total_processes": 2, "healthy_processes": 1, "total_load": 7, "total_capacity": 11)") !=
             std::string::npos;
    }));
    CHECK(server.command({"ZSCORE", all, key}).nil == false);
    server.command({"DEL", "t:p:kdcube:heartbeat:process:i:chat:proc:1"});
  }
  REQUIRE(until(patience, [&] { return server.command({"EXISTS", key, process_key("i")}).number == 0; }));
  CHECK(server.command({"ZSCORE", all, key}).nil);
  CHECK(platform_reads() == std::pair(1, 14));
}

TEST_CASE_FIXTURE(fleet_fixture, "a server that was restarted empty is told at once, and an outage is outlived") {
  queue_heartbeat one(pool, beat("i"));
  REQUIRE(is_told("i"));
  server.kill();
  server.start();
  CHECK(until(8s, [&] { return server.command({"EXISTS", process_key("i")}).number == 1; }));  // less than the interval
  server.kill();
  auto f = one.async_drain({.timeout = 300ms}, asio::use_future);
  REQUIRE(f.wait_for(patience) == std::future_status::ready);
  CHECK_FALSE(f.get());
  server.start();
  CHECK(until(8s, [&] { return server.command({"ZCARD", "t:p:corbel:draining:index"}).number == 1; }));
  CHECK(platform_reads() == std::pair(0, 0));
}

TEST_CASE_FIXTURE(fleet_fixture, "load and metadata are asked at every beat; what is no JSON object is left out") {
  std::atomic<std::uint32_t> load{1};
  std::atomic<bool> good{true};
  auto o = beat("i");
  o.load = [&] { return load.load(); };
  o.metadata = [&] { return good ? std::string(R"({"pools": {"postgres": null}})") : std::string("{"); };
  queue_heartbeat one(pool, o);
  auto has = [&](const std::string &text) {
    return until(patience, [&] { return server.command({"GET", process_key("i")}).text.find(text) != std::string::npos; });
  };
  CHECK(has(R"("current_load": 1)"));
  CHECK(has(R"("metadata": {"pools": {"postgres": null}})"));
  load = 2;
  good = false;
  one.set_capacity(7);
  CHECK(has(R"("current_load": 2, "max_capacity": 7)"));
  CHECK(has(R"("metadata": {}})"));
  CHECK_THROWS_AS(queue_heartbeat(pool, {.capacity = 0}), failure);
}

TEST_CASE_FIXTURE(fleet_fixture, "nothing is asked of a process any more once its heartbeat is destroyed") {
  for (int i = 0; i < 200; ++i) {
    auto alive = std::make_unique<std::atomic<bool>>(true);
    std::atomic<int> asked{0};
    auto o = beat("i");
    o.load = [&, flag = alive.get()] {
      ++asked;
      return flag->load() ? 1u : 0u;
    };
    std::optional<queue_heartbeat> one(std::in_place, pool, o);
    for (std::uint32_t c = 1; c < 5; ++c) one->set_capacity(100 + c);
    if (i % 2 == 0) REQUIRE(until(patience, [&] { return asked > 0; }));
    one.reset();
    const int before = asked;
    alive.reset();
    REQUIRE(pool.send(redis_command("PING")));
    CHECK(asked == before);
  }
  CHECK(until(patience, [&] { return server.command({"EXISTS", process_key("i"), index_key}).number == 0; }));
}
