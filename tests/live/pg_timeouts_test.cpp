// Deadlines and cancelling: what is cancelled on the server, and whom it never hits.
#include "support/pg_calls.hpp"
#include "support/postgres_server.hpp"
#include "support/until.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

using namespace corbel;
using namespace corbel::test;

namespace {
constexpr auto &future = boost::asio::use_future;
struct fixture {
  postgres_server server;
  runtime rt;
  pg_pool pool{rt, {.conninfo = server.url(), .max_size = 1}};
  long active() { return server.clients("state = 'active'"); }
  bool is_running(const char *part) {
    return until(pg_patience,
                 [&] { return server.clients(std::string("state = 'active' AND query LIKE '%") + part + "%'") == 1; });
  }
};
}  // namespace

TEST_CASE_FIXTURE(fixture, "a statement alone on its connection is cancelled on the server at its deadline") {
  auto r = pool.async_query(pg_statement("SELECT pg_sleep(100)"), {.timeout = 300ms}, future);
  CHECK(is_running("sleep(100)"));
  auto e = got(std::move(r)).error();
  CHECK(e.is(status::timeout));
  CHECK(e.may_be_applied());
  CHECK(until(pg_patience, [&] { return active() == 0; }));
  const auto pid = text(ask(pool, "SELECT pg_backend_pid()"));
  CHECK(text(ask(pool, "SELECT pg_backend_pid()")) == pid);
  CHECK(pool.stats().cancels == 1);
  CHECK(pool.stats().timeouts == 1);
}

TEST_CASE_FIXTURE(fixture, "a caller that leaves cancels likewise") {
  boost::asio::io_context ctx;
  boost::asio::cancellation_signal cancel;
  std::optional<result<pg_result>> answer;
  pool.async_query(pg_statement("SELECT pg_sleep(100)"),
                   boost::asio::bind_cancellation_slot(
                       cancel.slot(), boost::asio::bind_executor(ctx, [&](result<pg_result> r) { answer = std::move(r); })));
  boost::asio::post(ctx, [&] {
    CHECK(is_running("sleep(100)"));
    cancel.emit(boost::asio::cancellation_type::all);
  });
  ctx.run_for(pg_patience);
  REQUIRE(answer);
  CHECK(answer->error().is(status::cancelled));
  CHECK(until(pg_patience, [&] { return active() == 0; }));
}

TEST_CASE_FIXTURE(fixture, "neighbours of an abandoned statement get their own answers, never 57014") {
  for (int round = 0; round < 10; ++round) {
    REQUIRE(ask(pool, "SELECT 1"));
    // One after the other on the only connection: the first runs long enough for the second to be sent behind it.
    auto slow = pool.async_query(pg_statement("SELECT pg_sleep(0.2)"), {.timeout = 30ms}, future);
    auto behind = pool.async_query(pg_statement("SELECT $1, pg_sleep(0.02)", round), future);
    auto gone = pool.async_query(pg_statement("SELECT pg_sleep(0.01)"), {.timeout = 50ms}, future);
    CHECK(got(std::move(slow)).error().is(status::timeout));
    CHECK(text(got(std::move(behind))) == std::to_string(round));
    CHECK_FALSE(got(std::move(gone)));
  }
  CHECK(text(ask(pool, "SELECT 7")) == "7");
}

TEST_CASE_FIXTURE(fixture, "a statement that runs long has its connection for itself: what comes after goes elsewhere") {
  REQUIRE(pool.resize(0, 2));
  REQUIRE(ask(pool, "SELECT 1"));
  auto slow = pool.async_query(pg_statement("SELECT pg_sleep(100)"), {.timeout = 60s}, future);
  CHECK(is_running("sleep(100)"));
  for (int i = 0; i < 50; ++i) CHECK(text(ask(pool, pg_statement("SELECT $1", i), {.timeout = 10s})) == std::to_string(i));
  server.ask("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(100)%'");
  CHECK(got(std::move(slow)).error().native() == "57014");
}

TEST_CASE_FIXTURE(fixture, "on a lease a deadline cancels, and the lease goes on") {
  auto lease = take(pool).value();
  auto e = ask(lease, "SELECT pg_sleep(100)", {.timeout = 100ms}).error();
  CHECK(e.is(status::timeout));
  CHECK(until(pg_patience, [&] { return active() == 0; }));
  CHECK(text(ask(lease, "SELECT 2")) == "2");
}

TEST_CASE_FIXTURE(fixture, "a statement that was never sent says so") {
  auto lease = take(pool).value();
  auto e = ask(pool, "SELECT 1", {.timeout = 50ms}).error();
  CHECK(e.is(status::busy));
  CHECK_FALSE(e.may_be_applied());
  CHECK(e.message().find("1 of 1 connections") != std::string::npos);
  lease.release();
  pg_pool nowhere(rt, {.conninfo = "host=127.0.0.1 port=1", .kind = "nowhere"});
  e = ask(nowhere, "SELECT 1", {.timeout = 300ms}).error();
  CHECK(e.is(status::unavailable));
  CHECK(e.native() == "ECONNREFUSED");
  e = take(nowhere, {.timeout = 300ms}).error();
  CHECK(e.is(status::unavailable));
}

TEST_CASE_FIXTURE(fixture, "statement_timeout of the server is an ordinary error") {
  auto lease = take(pool).value();
  REQUIRE(ask(lease, "SET statement_timeout = 50"));
  CHECK(ask(lease, "SELECT pg_sleep(100)").error().native() == "57014");
  CHECK(text(ask(lease, "SELECT 1")) == "1");
}

TEST_CASE_FIXTURE(fixture, "shutdown cancels what runs, on the server too") {
  auto r = pool.async_query(pg_statement("SELECT pg_sleep(100)"), future);
  CHECK(is_running("sleep(100)"));
  auto left = rt.shutdown(100ms);
  CHECK(left.error().is(status::timeout));
  CHECK(left.error().message().find("1 call") != std::string::npos);
  CHECK(got(std::move(r)).error().is(status::cancelled));
  CHECK(until(pg_patience, [&] { return server.clients() == 0; }));
}
