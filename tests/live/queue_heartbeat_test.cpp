/// Heartbeats as the platform's reader sees them, and as admission does.

#include "json/document.hpp"
#include "queue/fleet/capacity.hpp"
#include "queue/fleet_watch.hpp"
#include "redis/pool_core.hpp"
#include "scripts/fleet_beat.hpp"
#include "support/redis_server.hpp"
#include "support/until.hpp"

#include <corbel/queue_heartbeat.hpp>

#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <atomic>
#include <cmath>
#include <memory>
#include <optional>
#include <unistd.h>

using namespace corbel;
using namespace corbel::test;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

constexpr auto patience = 30s;
const std::string index_key = "t:p:kdcube:system:capacity:process-index:chat:proc";

double seconds_now() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

struct fleet_fixture {
  redis_server server{{.arguments = {"--save", ""}}};
  runtime rt;
  redis_pool pool{rt, {.url = server.url()}};

  static std::string process_key(const std::string &instance) {
    return "t:p:kdcube:heartbeat:process:" + instance + ":chat:proc:" + std::to_string(::getpid());
  }
  heartbeat_options beat(const std::string &instance, std::uint32_t load = 0) {
    return {.tenant = "t", .project = "p", .instance = instance, .capacity = 5, .load = [load] { return load; }};
  }
  bool is_told(const std::string &instance) {
    return until(patience, [&] { return server.command({"EXISTS", process_key(instance)}).number == 1; });
  }
  result<void> drain(queue_heartbeat &h) {
    auto f = h.async_drain({.timeout = 5s}, asio::use_future);
    REQUIRE(f.wait_for(patience) == std::future_status::ready);
    return f.get();
  }

  /// What the platform's admission does before its script, step by step: processes and capacity.
  std::pair<int, int> platform_reads(double timeout = 45, double buffer = 0.2, double multiplier = 2.0) {
    const double now = seconds_now();
    server.command({"ZREMRANGEBYSCORE", index_key, "-inf", std::to_string(now - timeout)});
    int healthy = 0, capacity = 0;
    for (auto &member : server.command({"ZRANGE", index_key, "0", "-1"}).elements) {
      auto raw = server.command({"GET", member.text});
      if (raw.nil) {
        server.command({"ZREM", index_key, member.text});
        continue;
      }
      auto parsed = json_document::parse(raw.text);
      REQUIRE(parsed);
      auto top = *parsed->root().object();
      if (*top.text("service_type") != "chat" || *top.text("service_name") != "proc") continue;
      if (now - *top.number("last_heartbeat") > timeout) {
        server.command({"ZREM", index_key, member.text});
        continue;
      }
      std::string health(*top.text("health_status"));
      for (auto &c : health) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
      if (health.find("HEALTHY") == std::string::npos) continue;
      const double most = static_cast<double>(*top.integer("max_capacity"));
      ++healthy;
      capacity += static_cast<int>(most * (1 - buffer)) + static_cast<int>(most * multiplier);
    }
    return {healthy, capacity};
  }

  /// A heartbeat as a process of the platform writes it.
  void platform_writes(const std::string &instance, int load, int most, const std::string &health) {
    const auto key = "t:p:kdcube:heartbeat:process:" + instance + ":chat:proc:1";
    const auto last = std::to_string(seconds_now());
    server.command(
        {"SETEX", key, "30",
         R"({"instance_id": ")" + instance +
             R"(", "service_type": "chat", "service_name": "proc", "process_id": 1, "port": null, "current_load": )" +
             std::to_string(load) + R"(, "max_capacity": )" + std::to_string(most) + R"(, "last_heartbeat": )" + last +
             R"(, "health_status": ")" + health + R"(", "metadata": {}})"});
    server.command({"ZADD", index_key, last, key});
  }

  queue_options admitted(std::optional<std::uint64_t> capacity = {}) {
    return {.admission = queue_admission{.capacity = capacity, .tenant = "t", .project = "p"}};
  }
  result<detail::fleet_capacity> asked(detail::fleet_watch &watch) {
    auto promise = std::make_shared<std::promise<result<detail::fleet_capacity>>>();
    auto told = promise->get_future();
    asio::post(pool.executor(), [&watch, promise] {
      watch.now([promise](result<detail::fleet_capacity> r) { promise->set_value(std::move(r)); });
    });
    REQUIRE(told.wait_for(patience) == std::future_status::ready);
    return told.get();
  }
};

}  // namespace

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
        .command({"EVAL", scripts::fleet_beat, "6", "process", "index", "instance", "instances", "draining", "drains", state,
                  R"({"last_heartbeat": )", "}", R"({"total_processes": )", "pro", "30", "75"})
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

TEST_CASE_FIXTURE(fleet_fixture, "admission counts what works: ours, and full ones of the platform; not those that drain") {
  detail::fleet_watch watch(pool, admitted());
  auto empty = asked(watch);
  REQUIRE(empty);
  CHECK(empty->processes == 0);
  queue_heartbeat a(pool, beat("a", 4)), b(pool, beat("b", 5));
  platform_writes("full", 5, 5, "ServiceHealth.UNHEALTHY");
  platform_writes("ill", 1, 5, "ServiceHealth.UNHEALTHY");
  platform_writes("degraded", 4, 5, "ServiceHealth.DEGRADED");
  auto holds = [&](std::uint64_t processes, std::uint64_t capacity) {
    return until(patience, [&] {
      auto r = asked(watch);
      return r && r->processes == processes && r->capacity == capacity;
    });
  };
  CHECK(holds(4, 56));
  REQUIRE(drain(a));
  CHECK(holds(3, 42));
  server.command({"DEL", "t:p:kdcube:heartbeat:process:full:chat:proc:1"});  // it ended; the index still names it
  CHECK(holds(2, 28));
  CHECK(server.command({"ZCARD", index_key}).number == 4);  // readers remove nothing
}

TEST_CASE_FIXTURE(fleet_fixture, "a known capacity is told at once, and kept while the server is away") {
  detail::fleet_watch fixed(pool, admitted(12));
  CHECK(asked(fixed)->capacity == 12);
  detail::fleet_watch watch(pool, admitted());
  platform_writes("a", 0, 5, "healthy");
  REQUIRE(asked(watch));
  server.command({"CONFIG", "RESETSTAT"});
  for (int i = 0; i < 100; ++i) CHECK(asked(watch)->capacity == 14);
  const auto ran = server.command({"INFO", "commandstats"}).text;
  const auto scripts = ran.find("cmdstat_evalsha:calls=");  // no such line where there was none
  CHECK((scripts == ran.npos || std::stoi(ran.substr(scripts + 22)) < 10));
  server.kill();
  detail::fleet_watch late(pool, admitted());
  CHECK_FALSE(asked(late));  // nothing is known, and cannot be read
  CHECK(asked(watch)->capacity == 14);
  server.start();
  CHECK(until(patience, [&] {
    auto r = asked(late);
    return r && r->processes == 0;
  }));
}

TEST_CASE_FIXTURE(fleet_fixture, "a thousand heartbeats are one reading, and a beat among them stays short") {
  for (int i = 0; i < 1200; ++i) platform_writes("i" + std::to_string(i), 0, 5, "ServiceHealth.HEALTHY");
  detail::fleet_watch watch(pool, admitted());
  auto r = asked(watch);
  REQUIRE(r);
  CHECK(r->processes == 1200);
  CHECK(r->capacity == 1200 * 14);
}
