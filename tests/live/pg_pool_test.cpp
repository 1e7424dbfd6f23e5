// The pool's size: warm connections, cap, live resizing, lifetime, idle connections, closing, health and metrics.
#include "support/pg_calls.hpp"
#include "support/postgres_server.hpp"
#include "support/until.hpp"

#include <corbel/health.hpp>

#include <doctest/doctest.h>

using namespace corbel;
using namespace corbel::test;

namespace {
constexpr auto &future = boost::asio::use_future;
struct fixture {
  postgres_server server;
  runtime rt;
  std::vector<std::future<result<pg_result>>> crowd(pg_pool &pool, int n) {
    std::vector<std::future<result<pg_result>>> all;
    for (int i = 0; i < n; ++i) all.push_back(pool.async_query(pg_statement("SELECT pg_sleep(0.03)"), future));
    return all;
  }
};
}  // namespace

TEST_CASE_FIXTURE(fixture, "min_size is kept warm, max_size is never passed") {
  pg_pool pool(rt, {.conninfo = server.url(), .min_size = 3, .max_size = 5});
  CHECK(until(pg_patience, [&] { return pool.stats().idle == 3 && server.clients() == 3; }));
  auto all = crowd(pool, 100);
  long most = 0;
  for (auto &f : all) {
    CHECK(got(std::move(f)));
    most = std::max(most, server.clients());
  }
  CHECK(most <= 5);
  CHECK(pool.stats().open <= 5);
  server.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'corbel%'");
  CHECK(until(pg_patience, [&] { return pool.stats().idle == 3 && server.clients() == 3; }));
}

TEST_CASE_FIXTURE(fixture, "resizing lives: growth at once, shrinking without failing anybody") {
  pg_pool pool(rt, {.conninfo = server.url(), .max_size = 2});
  auto first = take(pool).value(), second = take(pool).value();
  auto third = pool.async_lease({.timeout = 20s}, future);
  REQUIRE(until(pg_patience, [&] { return pool.stats().waiting == 1; }));
  REQUIRE(pool.resize(0, 8));
  auto held = got(std::move(third));
  REQUIRE(held);
  REQUIRE(pool.resize(6, 8));
  CHECK(until(pg_patience, [&] { return pool.stats().open == 6; }));
  auto all = crowd(pool, 40);
  REQUIRE(pool.resize(0, 1));
  CHECK(text(ask(first, "SELECT 1")) == "1");
  for (auto *l : {&first, &second, &*held}) l->release();
  for (auto &f : all) CHECK(text(got(std::move(f))) == "");
  CHECK(until(pg_patience, [&] { return pool.stats().open == 1 && server.clients() == 1; }));
  CHECK(pool.limits().max_size == 1);
  CHECK(pool.resize(2, 1).error().is(status::invalid));
  CHECK(pool.resize(0, 0).error().is(status::invalid));
}

TEST_CASE_FIXTURE(fixture, "unused connections are closed after max_idle, old ones after their lifetime") {
  pg_pool brief(rt, {.conninfo = server.url(), .min_size = 1, .max_size = 8, .max_idle = 50ms});
  for (auto &f : crowd(brief, 40)) CHECK(got(std::move(f)));
  CHECK(brief.stats().connects > 1);
  CHECK(until(pg_patience, [&] { return brief.stats().open == 1 && server.clients() == 1; }));
  pg_pool ageing(rt, {.conninfo = server.url(), .kind = "ageing", .lifetime = 200ms});
  const auto first = text(ask(ageing, "SELECT pg_backend_pid()"));
  CHECK(until(pg_patience, [&] { return text(ask(ageing, "SELECT pg_backend_pid()")) != first; }));
}

TEST_CASE_FIXTURE(fixture, "idle connections are asked whether they live, and stay") {
  pg_pool pool(rt, {.conninfo = server.url(), .max_size = 1, .idle_check = 20ms});
  const auto pid = text(ask(pool, "SELECT pg_backend_pid()"));
  const auto before = pool.stats().statements;
  CHECK(until(pg_patience, [&] { return pool.stats().statements > before + 5; }));
  CHECK(text(ask(pool, "SELECT pg_backend_pid()")) == pid);
}

TEST_CASE_FIXTURE(fixture, "an idle connection that the server closed is not handed out") {
  pg_pool pool(rt, {.conninfo = server.url(), .max_size = 1});
  auto lease = take(pool).value();
  const auto pid = lease.backend();
  lease.release();
  server.ask("SELECT pg_terminate_backend(" + std::to_string(pid) + ")");
  CHECK(until(pg_patience, [&] { return take(pool).value().backend() != pid; }));
}

TEST_CASE_FIXTURE(fixture, "close lets what is under way complete, then refuses") {
  pg_pool pool(rt, {.conninfo = server.url()});
  auto all = crowd(pool, 20);
  CHECK(got(pool.async_close({.timeout = 20s}, future)));
  for (auto &f : all) CHECK(got(std::move(f)));
  CHECK(ask(pool, "SELECT 1").error().is(status::closed));
  CHECK(take(pool).error().is(status::closed));
  CHECK(until(pg_patience, [&] { return server.clients() == 0; }));
}

TEST_CASE_FIXTURE(fixture, "pool, lease, stream and listener are freed in any order") {
  std::optional<pg_pool> pool(std::in_place, rt, pg_options{.conninfo = server.url()});
  auto lease = take(*pool).value();
  auto stream = got(lease.async_stream(pg_statement("SELECT generate_series(1, 1000000)"), future)).value();
  std::optional<pg_listener> listener(std::in_place, *pool);
  REQUIRE(got(listener->async_listen("a", {}, future)));
  pool.reset();
  listener.reset();
  lease.release();
  CHECK(until(pg_patience, [&] { return server.clients() == 0; }));
  CHECK_FALSE(got(stream.async_next({}, future)));
}

TEST_CASE_FIXTURE(fixture, "health and metrics tell the pool's state") {
  pg_pool pool(rt, {.conninfo = server.url(), .kind = "main"});
  REQUIRE(ask(pool, "SELECT 1"));
  auto state = [&] {
    for (auto &p : health(rt).parts)
      if (p.part == "postgres:main") return p.state;
    return health_state::unknown;
  };
  CHECK(state() == health_state::ok);
  CHECK(rt.metrics_text().find("corbel_postgres_statements_total{pool=\"postgres:main\"} 1") != std::string::npos);
  CHECK(rt.metrics_text().find("corbel_postgres_up{pool=\"postgres:main\"} 1") != std::string::npos);
  server.stop();
  CHECK(until(pg_patience, [&] { return state() == health_state::down; }));
  server.start();
  CHECK(until(pg_patience, [&] { return state() == health_state::ok; }));
  CHECK(pool.stats().reconnects >= 1);
}
