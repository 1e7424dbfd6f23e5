#include <corbel/budget.hpp>

#include <doctest/doctest.h>

using namespace corbel;

namespace {

budget_component component(std::int64_t instances, std::int64_t processes, std::int64_t pools,
                           std::optional<std::int64_t> redis, std::int64_t pg) {
  return {"ingress", instances, processes, pools, redis, pg};
}

budget_level level(std::int64_t planned, std::int64_t allowed, std::int64_t others = 0) {
  return make_budget({component(1, 1, 1, 1, planned)}, {allowed, 0, others, ""}, {}).postgres.level;
}

}  // namespace

TEST_CASE("per process, per instance, in all") {
  auto b = make_budget({component(3, 4, 3, 20, 10)}, {100, 3, 12, ""}, {10000, 0, 25, ""});
  CHECK(b.postgres.planned == 120);
  CHECK(b.postgres.room.available() == 85);
  CHECK(b.postgres.level == budget_level::exceeds);
  CHECK(b.postgres.arithmetic ==
        "PostgreSQL: ingress 3 x 4 x 10 = 120 planned; 100 allowed - 3 reserved - 12 held by others = 85 available: 35 too "
        "many; lower the pools or the processes, or raise the server's limit");
  CHECK(b.redis.planned == 720);
  CHECK(b.redis.level == budget_level::ok);
  CHECK(b.redis.arithmetic ==
        "Redis: ingress 3 x 4 x 3 x 20 = 720 planned; 10000 allowed - 0 reserved - 25 held by others = 9975 available: 9255 "
        "are left");
  CHECK(b.is_over());
  CHECK(budget_json(b) ==
        R"({"components": [{"component": "ingress", "instances": 3, "processes_per_instance": 4, )"
        R"("redis_pools_per_process": 3, "per_process": {"postgres": 10, "redis": 60}, )"
        R"("per_instance": {"postgres": 40, "redis": 240}, "total": {"postgres": 120, "redis": 720}}], )"
        R"("postgres": {"planned": 120, "allowed": 100, "reserved": 3, "others": 12, "available": 85, "level": "exceeds", )"
        R"("arithmetic": "PostgreSQL: ingress 3 x 4 x 10 = 120 planned; 100 allowed - 3 reserved - 12 held by others = 85 )"
        R"(available: 35 too many; lower the pools or the processes, or raise the server's limit"}, )"
        R"("redis": {"planned": 720, "allowed": 10000, "reserved": 0, "others": 25, "available": 9975, "level": "ok", )"
        R"("arithmetic": "Redis: ingress 3 x 4 x 3 x 20 = 720 planned; 10000 allowed - 0 reserved - 25 held by others = )"
        R"(9975 available: 9255 are left"}, "over": true})");
}

TEST_CASE("levels") {
  CHECK(level(79, 100) == budget_level::ok);
  CHECK(level(80, 100) == budget_level::high);
  CHECK(level(99, 100) == budget_level::high);
  CHECK(level(100, 100) == budget_level::max);
  CHECK(level(101, 100) == budget_level::exceeds);
  CHECK(level(79, 100, 21) == budget_level::max);
  CHECK(level(1, 10, 20) == budget_level::exceeds);
}

TEST_CASE("several components share a server") {
  auto proc = component(2, 1, 1, 40, 8);
  proc.name = "proc";
  auto b = make_budget({component(1, 2, 3, 20, 4), proc}, {24, 0, 0, ""}, {201, 0, 0, ""});
  CHECK(b.postgres.planned == 24);
  CHECK(b.postgres.level == budget_level::max);
  CHECK(b.postgres.arithmetic.find("ingress 1 x 2 x 4 + proc 2 x 1 x 8 = 24 planned") != std::string::npos);
  CHECK(b.redis.planned == 200);
  CHECK(b.redis.level == budget_level::high);
  CHECK_FALSE(b.is_over());
}

TEST_CASE("without a cap there is no number, and without an answer no judgement") {
  auto b = make_budget({component(1, 1, 3, std::nullopt, 4)}, {{}, 0, 0, "connection refused"}, {10000, 0, 1, ""});
  CHECK(b.redis.level == budget_level::no_cap);
  CHECK(b.postgres.level == budget_level::unknown);
  CHECK_FALSE(b.is_over());
  CHECK(b.postgres.arithmetic ==
        "PostgreSQL: ingress 1 x 1 x 4 = 4 planned; what the server allows is not known: connection refused");
  CHECK(b.redis.arithmetic.find("1 x 1 x 3 x unbounded = unbounded planned; 10000 allowed") != std::string::npos);
  CHECK(budget_json(b).find(R"("redis": {"planned": null, "allowed": 10000)") != std::string::npos);
  CHECK(budget_json(b).find(R"("postgres": {"planned": 4, "allowed": null, "reserved": null, "others": null, )"
                            R"("available": null, "level": "unknown")") != std::string::npos);
  CHECK(budget_table(b) ==
        "component    instances processes   per process pg/redis  per instance pg/redis        in all pg/redis\n"
        "ingress              1         1            4/unbounded            4/unbounded            4/unbounded\n"
        "unknown    " +
            b.postgres.arithmetic + "\nunbounded  " + b.redis.arithmetic + "\n");
}

TEST_CASE("a limit that is told by the settings says so") {
  auto b =
      make_budget({component(1, 1, 1, 1, 5)}, {10, 0, 0, "pools.pg_max_connections; the server could not be asked"}, {});
  CHECK(b.postgres.arithmetic ==
        "PostgreSQL: ingress 1 x 1 x 5 = 5 planned; 10 allowed - 0 reserved - 0 held by others = 10 available "
        "(pools.pg_max_connections; the server could not be asked): 5 are left");
}

TEST_CASE("the plan of settings") {
  auto s = read_gateway(R"({"service_capacity": {"concurrent_requests_per_process": 7, "processes_per_instance": 4},
    "pools": {"redis_max_connections": 20}})",
                        {.component = "ingress"})
               .settings;
  auto p = plan_of(s, 3);
  CHECK(p.pg_total() == 3 * 4 * 7);
  CHECK(p.redis_total() == 3 * 4 * 3 * 20);
  CHECK(plan_of(s, 3, 2).processes() == 6);
  CHECK(plan_of(s, 0).instances == 1);
  CHECK(plan_of(s, std::int64_t{1} << 40).instances == 1'000'000);
  // What one instance needs is what the settings say.
  CHECK(plan_of(s).pg_total() == s.connections().pg_conns_per_instance);
  CHECK(plan_of(s).redis_total() == s.connections().redis_conns_per_instance);
}
