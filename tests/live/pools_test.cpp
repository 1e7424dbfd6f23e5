// The pools of a process against real servers: which there are, how they follow the document, what the budget finds.
#include "json/document.hpp"
#include "support/log_lines.hpp"
#include "support/postgres_server.hpp"
#include "support/redis_calls.hpp"
#include "support/redis_server.hpp"
#include "support/until.hpp"

#include <corbel/health.hpp>
#include <corbel/pools.hpp>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <map>

using namespace corbel;
using namespace corbel::test;

namespace {

template <class On>
result<pg_result> ask_sql(On &on, const char *sql) {
  return come(on.async_query(pg_statement(sql), boost::asio::use_future));
}

gateway_settings settings(const std::string &document, const std::string &url, const std::string &component = "ingress") {
  gateway_context c;
  c.component = component;
  c.redis_url = {url, "REDIS_URL"};
  auto r = read_gateway(document, c);
  REQUIRE_MESSAGE(r, r.why().message());
  return r.settings;
}

std::string sized(int redis, int pg_min, int pg_max, int processes = 1) {
  return fmt::format(R"({{"pools": {{"redis_max_connections": {}, "pg_pool_min_size": {}, "pg_pool_max_size": {}}},
    "service_capacity": {{"processes_per_instance": {}}}}})",
                     redis, pg_min, pg_max, processes);
}

struct fixture {
  redis_server redis;
  log_lines log;
  runtime rt{runtime_options{.name = "ingress", .instance = "pod-1", .log = log.collector()}};

  health_part part(const std::string &name) {
    for (auto &p : health(rt).parts)
      if (p.part == name) return p;
    return {};
  }
};

connection_budget budget(const pools &p, budget_request request = {}, call c = {.timeout = patience}) {
  auto r = come(p.async_budget(std::move(request), c, boost::asio::use_future));
  REQUIRE_MESSAGE(r, r.error().message());
  return *r;
}

}  // namespace

TEST_CASE_FIXTURE(fixture, "ingress has three Redis pools, each with its own cap") {
  pools p(rt, settings(sized(2, 0, 3), redis.url()));
  redis.command({"SET", "bytes", "\xff"});
  for (auto kind : {"", "async", "async_decode", "sync"}) {
    auto pool = p.redis(kind);
    CHECK(text(ask(pool, redis_command("PING"))) == "PONG");
    CHECK(pool.stats().max == 2);
    auto lease = take(pool);
    CHECK(lease);
    auto r = ask(pool, redis_command("GET", "bytes"));
    CHECK(r.has_value() == (std::string(kind) != "async_decode"));
  }
  CHECK(redis.clients("ingress:pod-1:").size() == 6);
  CHECK(redis.clients(":async_decode").size() == 2);
  CHECK_THROWS_WITH_AS(p.redis("shared"),
                       "no Redis pool 'shared' in the component ingress: there are async, async_decode and sync", failure);
}

TEST_CASE_FIXTURE(fixture, "proc has one that all share") {
  pools p(rt, settings(sized(2, 0, 3), redis.url(), "proc"));
  for (auto kind : {"async", "sync", "shared"}) {
    auto pool = p.redis(kind);
    CHECK(text(ask(pool, redis_command("PING"))) == "PONG");
  }
  CHECK(redis.clients("ingress:pod-1:").size() == 1);
  CHECK_THROWS_AS(p.redis("async_decode"), failure);
}

TEST_CASE_FIXTURE(fixture, "no cap means unbounded, and a warning") {
  pools p(rt, settings("{}", redis.url(), "proc"));
  CHECK(p.redis().stats().max == unbounded);
  CHECK(until(patience, [&] { return log.count("redis_max_connections is not set", log_level::warning) == 1; }));
  CHECK(p.json().find("\"max_connections\": 2147483648") != std::string::npos);
}

TEST_CASE_FIXTURE(fixture, "PostgreSQL is used when it is asked for, with the sizes of the settings") {
  postgres_server server;
  pools p(rt, settings(sized(3, 2, 4), redis.url()), {.postgres = {.conninfo = server.url()}});
  CHECK(p.json().find("\"postgres\": null") == 1);
  CHECK(server.clients() == 0);
  auto pg = p.postgres();
  CHECK(ask_sql(pg, "SELECT 7").value().get<std::int32_t>(0, 0) == 7);
  REQUIRE(until(patience, [&] { return server.clients() >= 2; }));
  CHECK(pg.stats().min == 2);
  CHECK(pg.stats().max == 4);
  CHECK(p.postgres().core() == pg.core());
}

TEST_CASE_FIXTURE(fixture, "statistics have the platform's shape") {
  postgres_server server;
  pools p(rt, settings(sized(3, 0, 4), redis.url()), {.postgres = {.conninfo = server.url()}});
  auto pg = p.postgres();
  auto held = come(pg.async_lease(boost::asio::use_future));
  REQUIRE(held);
  auto lease = take(*std::make_unique<redis_pool>(p.redis("sync")));
  REQUIRE(lease);
  REQUIRE(until(patience, [&] { return p.redis("async").stats().open == 1; }));
  const auto text_now = p.json();
  auto document = json_document::parse(text_now);
  REQUIRE(document);
  auto root = *document->root().object();
  auto postgres = *root.object("postgres");
  for (auto key : {"min_size", "max_size", "size", "available", "in_use", "waiting", "waits", "refused"}) {
    CAPTURE(key);
    CHECK(postgres.integer(key));
  }
  CHECK(postgres.number("wait_seconds"));
  CHECK(*postgres.integer("max_size") == 4);
  CHECK(*postgres.integer("in_use") == 1);
  CHECK(*postgres.integer("size") == *postgres.integer("in_use") + *postgres.integer("available"));
  for (auto kind : {"async", "async_decode", "sync"}) {
    auto r = *root.object("redis")->object(kind);
    for (auto key : {"max_connections", "in_use", "available", "total", "waiting", "waits", "refused"})
      CHECK(r.integer(key));
    CHECK(*r.integer("max_connections") == 3);
    CHECK(*r.integer("total") == *r.integer("in_use") + *r.integer("available"));
  }
  CHECK(*root.object("redis")->object("sync")->integer("in_use") == 2);
}

TEST_CASE_FIXTURE(fixture, "a change of the document resizes what is open, and no caller fails") {
  postgres_server server;
  auto loaded = load_gateway([&](const std::string &name) -> std::optional<std::string> {
    const std::map<std::string, std::string> v{{"GATEWAY_CONFIG_JSON", sized(6, 0, 6)}, {"REDIS_URL", redis.url()}};
    auto it = v.find(name);
    return it == v.end() ? std::nullopt : std::optional(it->second);
  });
  REQUIRE(loaded.reading);
  pools p(rt, loaded.reading.settings, {.postgres = {.conninfo = server.url()}});
  gateway_config config(rt, p.redis(), std::move(loaded));
  p.follow(config);
  REQUIRE(come(config.async_ready(call{.timeout = patience}, boost::asio::use_future)));
  auto pg = p.postgres();
  auto sync = p.redis("sync");

  std::vector<pg_lease> held;
  for (int i = 0; i < 6; ++i) held.push_back(come(pg.async_lease(boost::asio::use_future)).value());
  std::vector<redis_lease> leases;
  for (int i = 0; i < 5; ++i) leases.push_back(take(sync).value());

  auto publish = [&](const std::string &document) {
    redis.command({"PUBLISH", "home:default-project:kdcube:config:gateway:update", R"({"config": )" + document + "}"});
  };
  publish(sized(2, 1, 2));
  REQUIRE(until(patience, [&] { return pg.stats().max == 2 && sync.stats().max == 2; }));
  for (auto &h : held) CHECK(ask_sql(h, "SELECT 1"));
  for (auto &l : leases) CHECK(text(ask(l, redis_command("PING"))) == "PONG");
  held.clear();
  leases.clear();
  REQUIRE(until(patience, [&] { return server.clients() <= 2 && redis.clients(":sync").size() <= 2; }));

  auto one = come(pg.async_lease(boost::asio::use_future)).value(),
       two = come(pg.async_lease(boost::asio::use_future)).value();
  auto waiting = pg.async_lease(call{.timeout = patience}, boost::asio::use_future);
  auto sync_lease = take(sync).value();
  auto sync_waiting = sync.async_lease(call{.timeout = patience}, boost::asio::use_future);
  REQUIRE(until(patience, [&] { return pg.stats().waiting == 1 && sync.stats().waiting == 1; }));
  publish(sized(4, 0, 4));
  CHECK(come(std::move(waiting)));
  CHECK(come(std::move(sync_waiting)));
  CHECK(p.settings()->pools.redis_max_connections == 4);

  // A wrong one changes nothing.
  publish(R"({"pools": {"redis_max_connections": 0}})");
  REQUIRE(until(patience, [&] { return bool(config.refused()); }));
  CHECK(sync.stats().max == 4);
}

TEST_CASE_FIXTURE(fixture, "settings of another component are refused") {
  pools p(rt, settings(sized(2, 0, 3), redis.url()));
  CHECK(p.apply(settings(sized(5, 0, 3), redis.url(), "proc")).error().is(status::invalid));
  CHECK(p.redis().stats().max == 2);
  CHECK(p.apply(settings(sized(5, 0, 3), redis.url())));
  CHECK(p.redis("sync").stats().max == 5);
}

TEST_CASE_FIXTURE(fixture, "the budget: what the servers allow, less what is reserved, less what others hold") {
  postgres_server server({.settings = {"superuser_reserved_connections = 4"}, .max_connections = 30});
  pools p(rt, settings(sized(4, 0, 5, 2), redis.url()), {.postgres = {.conninfo = server.url()}});
  auto pg = p.postgres();
  REQUIRE(ask_sql(pg, "SELECT 1"));
  auto ours = come(pg.async_lease(boost::asio::use_future)).value();
  const auto before = budget(p);
  CHECK(before.postgres.room.allowed == 30);
  CHECK(before.postgres.room.reserved == 4);
  CHECK(before.postgres.planned == 10);
  CHECK(before.redis.room.allowed == 10000);
  CHECK(before.redis.planned == 2 * 3 * 4);
  CHECK(before.redis.level == budget_level::ok);

  // Another service's connections are others'; another instance of ours is not.
  runtime other_rt(runtime_options{.name = "proc"}), same_rt(runtime_options{.name = "ingress", .instance = "pod-2"});
  pg_pool other(other_rt, {.conninfo = server.url()}), same(same_rt, {.conninfo = server.url()});
  redis_pool other_redis(other_rt, {.url = redis.url()}), same_redis(same_rt, {.url = redis.url()});
  std::vector<pg_lease> held;
  for (int i = 0; i < 3; ++i) held.push_back(come(other.async_lease(boost::asio::use_future)).value());
  held.push_back(come(same.async_lease(boost::asio::use_future)).value());
  auto theirs = take(other_redis).value(), mine = take(same_redis).value();
  const auto now = budget(p, {.instances = 2});
  CHECK(now.postgres.room.others == before.postgres.room.others + 3);
  CHECK(now.redis.room.others == before.redis.room.others + 2);
  CHECK(now.postgres.planned == 20);
  CHECK(now.postgres.room.available() == 30 - 4 - now.postgres.room.others);

  CHECK_FALSE(now.is_over());
  CHECK(part("budget:postgres").state == health_state::ok);
  const auto over = budget(p, {.instances = 3});
  CHECK(over.is_over());
  CHECK(over.postgres.level == budget_level::exceeds);
  CHECK(part("budget:postgres").state == health_state::degraded);
  CHECK(part("budget:postgres").reason == over.postgres.arithmetic);
  CHECK(part("budget:redis").state == health_state::ok);
  CHECK(budget(p, {.instances = 3}).is_over());
  rt.log({.level = log_level::info, .part = "test", .text = "after the budgets", .fields = {}});
  REQUIRE(until(patience, [&] { return log.count("after the budgets", log_level::info) == 1; }));
  CHECK(log.count("ingress 3 x 2 x 5 = 30 planned; 30 allowed - 4 reserved", log_level::warning) == 1);
  CHECK(rt.metrics_text().find("corbel_budget_connections{server=\"postgres\",what=\"planned\"} 30") != std::string::npos);
  CHECK_FALSE(budget(p, {.instances = 3, .workers = 1}).is_over());
  CHECK(part("budget:postgres").state == health_state::ok);
}

TEST_CASE("Redis' own limit, and a server that refuses CONFIG and CLIENT") {
  redis_server redis({.max_clients = 40});
  runtime rt(runtime_options{.name = "proc"});
  pools p(rt, settings(sized(20, 0, 1), redis.url(), "proc"));
  auto b = budget(p, {.instances = 2});
  CHECK(b.redis.room.allowed == 40);
  CHECK(b.redis.level == budget_level::exceeds);  // the test's own connection is another's
  CHECK(b.postgres.level == budget_level::unknown);
  CHECK(b.postgres.arithmetic.find("this process does not use PostgreSQL") != std::string::npos);

  redis.command({"ACL", "SETUSER", "default", "-config", "-client|list"});
  b = budget(p);
  CHECK(b.redis.room.allowed == 40);
  CHECK(b.redis.room.others >= 2);
  CHECK(b.redis.arithmetic.find("because CLIENT LIST is refused") != std::string::npos);
}

TEST_CASE_FIXTURE(fixture, "servers that cannot be asked: unknown, or what the document says of them") {
  auto document = R"({"pools": {"redis_max_connections": 4, "pg_pool_max_size": 5, "pg_max_connections": 8}})";
  pools p(rt, settings(document, "redis://127.0.0.1:1"), {.postgres = {.conninfo = "postgresql://x@127.0.0.1:1/x"}});
  CHECK(p.postgres().stats().open == 0);
  auto b = budget(p, {.instances = 2}, {.timeout = 200ms});
  CHECK(b.redis.level == budget_level::unknown);
  CHECK(b.postgres.room.allowed == 8);
  CHECK(b.postgres.level == budget_level::exceeds);
  CHECK(b.postgres.arithmetic.find("pools.pg_max_connections, because the server could not be asked") != std::string::npos);
  REQUIRE(rt.shutdown(5s));
  CHECK(come(p.async_budget({}, boost::asio::use_future)).error().is(status::closed));
}
