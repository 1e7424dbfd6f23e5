#include "live/hosts_fixture.hpp"
#include "support/postgres_server.hpp"

#include <doctest/doctest.h>

using namespace corbel;
using namespace corbel::test;
using namespace std::chrono_literals;

namespace {

std::vector<std::string> where(const postgres_server &pg) {
  return {"PGHOST=127.0.0.1", "PGPORT=" + std::to_string(pg.port()), "PGUSER=postgres", "PGDATABASE=postgres"};
}

constexpr char table[] = "kdcube_home_default_project.requests";

}  // namespace

TEST_CASE("each request and its outcome is in the table that the hosts make") {
  redis_server redis;
  postgres_server pg;
  host ingress("ingress", redis.url(), {}, where(pg)), proc("proc", redis.url(), {}, where(pg));
  for (int i = 0; i < 50; ++i)
    REQUIRE(http_post(ingress.port, "/api/chat/messages", plain("s1", "one two three", "e" + std::to_string(i))).status ==
            200);
  auto count = [&](const std::string &condition) {
    return pg.value(std::string("SELECT count(*) FROM ") + table + " WHERE " + condition);
  };
  REQUIRE(until(20s, [&] {
    return pg.value("SELECT to_regclass('" + std::string(table) + "') IS NOT NULL") == "t" &&
           count("state = 'completed' AND session_id = 's1'") == "50";
  }));
  CHECK(count("words = 3 AND instance = 'ingress-1' AND worker = 'proc-1' AND ended_at >= received_at") == "50");
  CHECK(count("true") == "50");
}

TEST_CASE("hosts go on while PostgreSQL is away, and write what they kept when it is back") {
  redis_server redis;
  postgres_server pg;
  host ingress("ingress", redis.url(), {}, where(pg)), proc("proc", redis.url(), {}, where(pg));
  auto post = [&](int i) {
    return http_post(ingress.port, "/api/chat/messages", plain("s", "x", "e" + std::to_string(i))).status;
  };
  REQUIRE(post(0) == 200);
  auto completed = [&] {
    return pg.value(std::string("SELECT count(*) FROM ") + table + " WHERE state = 'completed' AND session_id = 's'");
  };
  REQUIRE(until(20s, [&] {
    return pg.value("SELECT to_regclass('" + std::string(table) + "') IS NOT NULL") == "t" && completed() == "1";
  }));
  pg.stop();
  for (int i = 1; i < 21; ++i) CHECK(post(i) == 200);
  CHECK(ingress.health() == 200);
  pg.start();
  CHECK(until(30s, [&] { return completed() == "21"; }));
}

TEST_CASE("what a host has not written yet is written before it ends") {
  redis_server redis;
  postgres_server pg;
  host ingress("ingress", redis.url(), {}, where(pg));
  for (int i = 0; i < 20; ++i)
    REQUIRE(http_post(ingress.port, "/api/chat/messages", plain("s", "x", "e" + std::to_string(i))).status == 200);
  ingress.process.signal(SIGTERM);
  CHECK(ingress.process.wait_for(30s) == 0);
  CHECK(pg.value(std::string("SELECT count(*) FROM ") + table) == "20");
}

TEST_CASE("rows that PostgreSQL never took are told by the exit status") {
  redis_server redis;
  postgres_server pg;
  host ingress("ingress", redis.url(), {"--drain-timeout-ms", "1500"}, where(pg));
  pg.stop();
  for (int i = 0; i < 3; ++i)
    REQUIRE(http_post(ingress.port, "/api/chat/messages", plain("s", "x", "e" + std::to_string(i))).status == 200);
  ingress.process.signal(SIGTERM);
  CHECK(ingress.process.wait_for(30s) == 1);
}

TEST_CASE("--check says whether the servers can carry the plan") {
  redis_server redis({.max_clients = 200});
  postgres_server pg({.max_connections = 30});
  auto check = [&](std::vector<std::string> more) {
    temp_dir out;
    std::vector<std::string> arguments = {(host_binaries() / "corbel-proc").string(), "--check"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    auto variables = where(pg);
    variables.push_back("REDIS_URL=" + redis.url());
    variables.push_back(R"(GATEWAY_CONFIG_JSON={"pools": {"redis_max_connections": 20, "pg_pool_max_size": 10}})");
    child_process process(arguments, out.file("log"), variables);
    auto status = process.wait_for(30s);
    std::ifstream file(out.file("log"));
    std::ostringstream text;
    text << file.rdbuf();
    return std::pair(status.value_or(-1), text.str());
  };
  auto [fits, table_of_one] = check({});
  INFO(table_of_one);
  CHECK(fits == 0);
  auto [too_many, arithmetic] = check({"--instances", "4"});
  INFO(arithmetic);
  CHECK(too_many == 1);
  CHECK(arithmetic.find("proc 4 x 1 x 10 = 40 planned; 30 allowed") != std::string::npos);
  redis.kill();
  CHECK(check({}).first == 1);
}

TEST_CASE("the plan is kept: connections at the servers never pass the budget, with 1 and 4 workers") {
  redis_server redis;
  postgres_server pg;
  for (int workers : {1, 4}) {
    auto variables = where(pg);
    variables.push_back(R"(GATEWAY_CONFIG_JSON={"pools": {"redis_max_connections": 4, "pg_pool_max_size": 2}})");
    host ingress("ingress", redis.url(), {"--workers", std::to_string(workers)}, variables);
    std::size_t most_redis = 0;
    long most_pg = 0;
    for (int i = 0; i < 200; ++i) {
      REQUIRE(http_post(ingress.port, "/api/chat/messages", plain("s", "x", "e" + std::to_string(i))).status == 200);
      most_redis = std::max(most_redis, redis.clients(":ingress-1:").size());
      most_pg = std::max(most_pg, pg.clients());
    }
    REQUIRE(until(20s, [&] {
      most_redis = std::max(most_redis, redis.clients(":ingress-1:").size());
      most_pg = std::max(most_pg, pg.clients());
      return most_redis >= std::size_t(workers) * 3 && most_pg >= 1;
    }));
    CHECK(most_redis <= std::size_t(workers) * 3 * 4);
    CHECK(most_pg <= workers * 2);
    // The document changes while it runs: the pools follow, and nobody fails.
    redis.command({"PUBLISH", "home:default-project:kdcube:config:gateway:update",
                   R"({"tenant": "home", "project": "default-project", "ts": 1, "actor": "test",
                       "config": {"tenant": "home", "project": "default-project",
                                  "pools": {"redis_max_connections": 2, "pg_pool_max_size": 1}}})"});
    REQUIRE(until(20s, [&] {
      const auto log = ingress.log();
      std::size_t changes = 0;
      for (auto at = log.find("pools.redis_max_connections: 4 -> 2"); at != std::string::npos;
           at = log.find("pools.redis_max_connections: 4 -> 2", at + 1))
        ++changes;
      return changes == std::size_t(workers);
    }));
    for (int i = 0; i < 100; ++i)
      REQUIRE(http_post(ingress.port, "/api/chat/messages", plain("s", "x", "f" + std::to_string(i))).status == 200);
    CHECK(until(20s, [&] {
      return redis.clients(":ingress-1:").size() <= std::size_t(workers) * 3 * 2 && pg.clients() <= workers;
    }));
  }
}

TEST_CASE("--print-config shows what counts and where it came from, without secrets") {
  temp_dir out;
  child_process process({(host_binaries() / "corbel-proc").string(), "--print-config", "table"}, out.file("log"),
                        {"REDIS_URL=redis://:secret@localhost:6379/0",
                         R"(GATEWAY_CONFIG_JSON={"pools": {"proc": {"redis_max_connections": 40}}})"});
  REQUIRE(process.wait_for(30s) == 0);
  std::ifstream file(out.file("log"));
  std::ostringstream text;
  text << file.rdbuf();
  CHECK(text.str().find("pools.redis_max_connections") != std::string::npos);
  CHECK(text.str().find("GATEWAY_CONFIG_JSON: pools.proc.redis_max_connections") != std::string::npos);
  CHECK(text.str().find("secret") == std::string::npos);
}
