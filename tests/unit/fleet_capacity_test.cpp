#include "queue/fleet/capacity.hpp"
#include "queue/fleet/heartbeat_text.hpp"
#include "queue/fleet/names.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <vector>

using namespace corbel;
using namespace corbel::detail;

namespace {

std::string heartbeat(int load, int capacity, const std::string &health, double last = 100, const char *name = "proc") {
  return fmt::format(
      R"({{"instance_id": "i", "service_type": "chat", "service_name": "{}", "process_id": 7, "port": null, )"
      R"("current_load": {}, "max_capacity": {}, "last_heartbeat": {}, "health_status": "{}", "metadata": {{}}}})",
      name, load, capacity, last, health);
}

fleet_capacity count(const std::vector<std::string> &heartbeats, const queue_admission &a = {}, double now = 100) {
  std::vector<std::string_view> views(heartbeats.begin(), heartbeats.end());
  return capacity_of(views, "chat", "proc", a, now);
}

}  // namespace

TEST_CASE("health is read exactly: UNHEALTHY is not HEALTHY") {
  CHECK(health_of("ServiceHealth.HEALTHY") == process_health::healthy);
  CHECK(health_of("healthy") == process_health::healthy);
  CHECK(health_of("ServiceHealth.DEGRADED") == process_health::degraded);
  CHECK(health_of("servicehealth.unhealthy") == process_health::unhealthy);
  for (auto other :
       {"", "ServiceHealth.", "HEALTHY ", "ServiceHealth.ServiceHealth.HEALTHY", "VERY HEALTHY", "Service.HEALTHY"})
    CHECK(health_of(other) == process_health::unknown);
}

TEST_CASE("what one process holds: two floors, as the platform computes them") {
  CHECK(held_by_one(5, 0.2, 2.0) == 14);
  CHECK(held_by_one(1, 0.2, 2.0) == 2);
  CHECK(held_by_one(3, 0.25, 1.5) == 6);    // 2.25 and 4.5
  CHECK(held_by_one(10, 0.1, 0.33) == 12);  // 9 and 3.3
  CHECK(held_by_one(7, 0, 0) == 7);
  CHECK(held_by_one(4, 1.5, 1) == 4);  // a buffer above 1 takes nothing away from the rest
  CHECK(held_by_one(0, 0.2, 2) == 0);
  CHECK(held_by_one(-5, 0.2, 2) == 0);
  CHECK(held_by_one(1'000'000'000'000, 0, 1e9) == 2'000'000'000);
}

TEST_CASE("saturated is not unhealthy, and degraded is not gone") {
  CHECK(count({heartbeat(0, 5, "ServiceHealth.HEALTHY")}).capacity == 14);
  CHECK(count({heartbeat(4, 5, "ServiceHealth.DEGRADED")}).capacity == 14);
  CHECK(count({heartbeat(5, 5, "ServiceHealth.UNHEALTHY")}).capacity == 14);
  CHECK(count({heartbeat(6, 5, "ServiceHealth.UNHEALTHY")}).processes == 1);
  CHECK(count({heartbeat(2, 5, "ServiceHealth.UNHEALTHY")}).processes == 0);
  CHECK(count({heartbeat(0, 0, "ServiceHealth.UNHEALTHY")}).processes == 0);
  auto all = count({heartbeat(0, 5, "ServiceHealth.HEALTHY"), heartbeat(5, 5, "healthy"), heartbeat(4, 3, "DEGRADED")});
  CHECK(all.capacity == 14 + 14 + 8);
  CHECK(all.processes == 3);
  CHECK(count({}).capacity == 0);
}

TEST_CASE("stale heartbeats, other services and what is no heartbeat do not count") {
  CHECK(count({heartbeat(0, 5, "HEALTHY", 55)}).processes == 1);
  CHECK(count({heartbeat(0, 5, "HEALTHY", 54.9)}).processes == 0);
  CHECK(count({heartbeat(0, 5, "HEALTHY", 200)}).processes == 1);  // a writer's clock that is ahead
  CHECK(count({heartbeat(0, 5, "HEALTHY", 100, "rest")}).processes == 0);
  queue_admission short_of{.heartbeat_timeout = std::chrono::seconds(10)};
  CHECK(count({heartbeat(0, 5, "HEALTHY", 89)}, short_of).processes == 0);
  CHECK(count({"", "{}", "[]", "null", "\xff", R"({"health_status": 1})",
               R"({"service_type": "chat", "service_name": "proc", "health_status": "HEALTHY", "max_capacity": "5"})"})
            .processes == 0);
}

TEST_CASE("components name services as the platform's settings do") {
  using names = std::pair<std::string, std::string>;
  for (auto proc : {"", "proc", "Processor", "chat-proc", "CHAT_PROC", "chat:proc", ":", ":proc", "chat:"})
    CHECK(service_of(proc) == names("chat", "proc"));
  for (auto rest : {"ingress", "REST", "chat-rest", "chat_rest", "chat:rest", ":rest"})
    CHECK(service_of(rest) == names("chat", "rest"));
  CHECK(service_of("worker") == names("chat", "worker"));
  CHECK(service_of("kb:search") == names("kb", "search"));
}

TEST_CASE("keys are the platform's") {
  fleet_names n("t", "p", "chat:proc");
  CHECK(n.index == "t:p:kdcube:system:capacity:process-index:chat:proc");
  CHECK(n.process("inst", 7) == "t:p:kdcube:heartbeat:process:inst:chat:proc:7");
  CHECK(n.processes("inst") == "t:p:kdcube:heartbeat:process:inst:chat:proc:");
  CHECK(n.instance("inst") == "t:p:kdcube:heartbeat:instance:inst:chat:proc");
  CHECK(n.instance_index == "t:p:kdcube:heartbeat:instance:index");
  CHECK(fleet_names("", "", "proc").index == "home:default-project:kdcube:system:capacity:process-index:chat:proc");
}

TEST_CASE("a heartbeat's JSON is the platform's, byte for byte, but for the time") {
  fleet_names n("t", "p", "chat:proc");
  heartbeat_options o{.instance = "i\"1", .port = 8020, .capacity = 5};
  auto [text, good] = heartbeat_json(o, n, 42, 3, false, R"({"pools":{"postgres":null}})");
  CHECK(good);
  CHECK(text.head + "1.5" + text.tail ==
        R"({"instance_id": "i\"1", "service_type": "chat", "service_name": "proc", "process_id": 42, "port": 8020, )"
        R"("current_load": 3, "max_capacity": 5, "last_heartbeat": 1.5, "health_status": "ServiceHealth.HEALTHY", )"
        R"("metadata": {"pools": {"postgres": null}}})");
  o.port.reset();
  for (auto bad : {"[]", "{", "nothing", "1"}) {
    auto [plain, fine] = heartbeat_json(o, n, 42, 5, true, bad);
    CHECK_FALSE(fine);
    CHECK(plain.head.find("\"port\": null, \"current_load\": 5") != std::string::npos);
    CHECK(plain.tail == R"(, "health_status": "ServiceHealth.HEALTHY", "draining": true, "metadata": {}})");
  }
  auto [text_of_none, fine] = heartbeat_json(o, n, 42, 0, false, "");
  CHECK(fine);
  auto parsed = process_heartbeat::parse(text_of_none.head + "1764050000.5" + text_of_none.tail);
  REQUIRE(parsed);
  CHECK(parsed->works());
  CHECK(parsed->last == 1764050000.5);
  CHECK(instance_json("i", n) ==
        R"({"instance_id": "i", "service_type": "chat", "service_name": "proc", "total_processes": )");
}
