// A pool whose callers wait says so: saturated, which is not ill and no reason to restart anything.
#include "support/postgres_server.hpp"
#include "support/redis_calls.hpp"
#include "support/redis_server.hpp"
#include "support/until.hpp"

#include <corbel/health.hpp>
#include <corbel/pg_pool.hpp>

#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <optional>

using namespace corbel;
using namespace corbel::test;

namespace {

health_part part(const runtime &rt, const std::string &name) {
  for (auto &p : health(rt).parts)
    if (p.part == name) return p;
  return {};
}

/// held: leases that leave no connection free; the next caller waits.
template <class Pool, class Lease>
void saturates(const runtime &rt, Pool &pool, const std::string &name, std::optional<Lease> held) {
  REQUIRE(until(20s, [&] { return part(rt, name).state == health_state::ok; }));
  auto waits = pool.async_lease({.timeout = 60s}, boost::asio::use_future);
  CHECK(until(20s, [&] { return part(rt, name).state == health_state::saturated; }));
  CHECK(part(rt, name).reason.starts_with("callers wait and no connection is free: "));
  CHECK(part(rt, name).reason.find("1 waiting") != std::string::npos);
  CHECK(health(rt).ready);
  held.reset();
  REQUIRE(waits.get());
  CHECK(until(20s, [&] { return part(rt, name).state == health_state::ok; }));
  CHECK(part(rt, name).reason.empty());
}

}  // namespace

TEST_CASE("Redis: all leases are out and a caller waits") {
  redis_server server;
  runtime rt({.level = log_level::off});
  redis_pool pool(rt, {.url = server.url(), .kind = "main", .max_size = 2});
  saturates<redis_pool, redis_lease>(rt, pool, "redis:main", take(pool).value());
}

TEST_CASE("PostgreSQL: the same") {
  postgres_server server;
  runtime rt({.level = log_level::off});
  pg_pool pool(rt, {.conninfo = server.url(), .kind = "main", .max_size = 1});
  saturates<pg_pool, pg_lease>(rt, pool, "postgres:main", pool.async_lease(boost::asio::use_future).get().value());
}

TEST_CASE("a server that is lost meanwhile is down, not saturated") {
  redis_server server;
  runtime rt({.level = log_level::off});
  redis_pool pool(rt, {.url = server.url(), .kind = "main", .max_size = 2});
  auto held = take(pool).value();
  auto waits = pool.async_lease({.timeout = 60s}, boost::asio::use_future);
  REQUIRE(until(20s, [&] { return part(rt, "redis:main").state == health_state::saturated; }));
  server.kill();
  CHECK(until(20s, [&] { return part(rt, "redis:main").state == health_state::down; }));
  held.release();
  server.start();
  CHECK(until(20s, [&] { return part(rt, "redis:main").state == health_state::ok; }));
  CHECK(waits.get());
}
