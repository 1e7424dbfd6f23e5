// Leases, transactions, savepoints.
#include "support/pg_calls.hpp"
#include "support/postgres_server.hpp"
#include "support/until.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include <mutex>

using namespace corbel;
using namespace corbel::test;

namespace {
struct fixture {
  postgres_server server;
  runtime rt;
  pg_pool pool{rt, {.conninfo = server.url(), .max_size = 2}};
  fixture() { server.ask("CREATE TABLE t (n int)"); }
  std::string count() { return server.value("SELECT count(*) FROM t"); }
  /// The server process of a lease that did `use` and was given back: the same as the next lease's?
  template <class Use>
  bool used_again(Use use) {
    pg_pool one(rt, {.conninfo = server.url(), .kind = "one", .max_size = 1});
    auto lease = take(one).value();
    const auto before = lease.backend();
    use(lease);
    lease.release();
    return take(one).value().backend() == before;
  }
};
result<void> done(std::future<result<void>> f) { return got(std::move(f)); }
constexpr auto &future = boost::asio::use_future;
}  // namespace

TEST_CASE_FIXTURE(fixture, "statements of a lease run in order, on one connection") {
  auto lease = take(pool).value();
  CHECK(text(ask(lease, "SELECT pg_backend_pid()")) == std::to_string(lease.backend()));
  std::vector<std::future<result<pg_result>>> all;
  for (int i = 0; i < 500; ++i)
    all.push_back(
        lease.async_query(pg_statement("INSERT INTO t VALUES ($1) RETURNING (SELECT count(*) FROM t)", i), future));
  for (int i = 0; i < 500; ++i) CHECK(text(got(std::move(all[static_cast<std::size_t>(i)]))) == std::to_string(i));
}

TEST_CASE_FIXTURE(fixture, "commit keeps, rollback and leaving the scope undo") {
  {
    auto tx = begin(pool).value();
    REQUIRE(ask(tx, "INSERT INTO t VALUES (1)"));
    CHECK(count() == "0");
    CHECK(done(tx.async_commit({}, future)));
    CHECK_FALSE(tx);
  }
  CHECK(count() == "1");
  {
    auto tx = begin(pool).value();
    REQUIRE(ask(tx, "INSERT INTO t VALUES (2)"));
    CHECK(done(tx.async_rollback({}, future)));
  }
  {
    auto tx = begin(pool).value();
    REQUIRE(ask(tx, "INSERT INTO t VALUES (3)"));
  }
  CHECK(until(pg_patience, [&] { return server.clients("state LIKE 'idle in%'") == 0; }));
  CHECK(count() == "1");
  CHECK(until(pg_patience, [&] { return pool.stats().leased == 0; }));
}

TEST_CASE_FIXTURE(fixture, "isolation level and read only are the server's") {
  pg_transaction_options o{.level = pg_transaction_options::isolation::serializable, .read_only = true, .deferrable = true};
  auto tx = begin(pool, o).value();
  CHECK(text(ask(tx, "SHOW transaction_isolation")) == "serializable");
  CHECK(text(ask(tx, "SHOW transaction_deferrable")) == "on");
  CHECK(ask(tx, "INSERT INTO t VALUES (1)").error().native() == "25006");
}

TEST_CASE_FIXTURE(fixture, "a commit of a failed transaction is an error") {
  auto tx = begin(pool).value();
  CHECK(ask(tx, "SELECT 1/0").error().native() == "22012");
  CHECK(ask(tx, "SELECT 1").error().native() == "25P02");
  auto e = done(tx.async_commit({}, future)).error();
  CHECK(e.is(status::refused));
  CHECK(e.native() == "25P02");
}

TEST_CASE_FIXTURE(fixture, "savepoints") {
  auto tx = begin(pool).value();
  REQUIRE(ask(tx, "INSERT INTO t VALUES (1)"));
  {
    auto s = got(tx.async_savepoint({}, future)).value();
    REQUIRE(ask(tx, "INSERT INTO t VALUES (2)"));
    CHECK_FALSE(ask(tx, "SELECT 1/0"));
    CHECK(done(s.async_rollback({}, future)));
  }
  {
    auto s = got(tx.async_savepoint({}, future)).value();
    REQUIRE(ask(tx, "INSERT INTO t VALUES (3)"));
    CHECK(done(s.async_release({}, future)));
  }
  {
    auto s = got(tx.async_savepoint({}, future)).value();
    REQUIRE(ask(tx, "INSERT INTO t VALUES (4)"));
  }
  CHECK(done(tx.async_commit({}, future)));
  CHECK(server.value("SELECT string_agg(n::text, ',' ORDER BY n) FROM t") == "1,3");
}

TEST_CASE_FIXTURE(fixture, "a savepoint that outlives its transaction touches nobody else's") {
  pg_pool one(rt, {.conninfo = server.url(), .kind = "one", .max_size = 1});
  auto first = begin(one).value();
  auto stale = got(first.async_savepoint({}, future)).value();
  REQUIRE(done(first.async_commit({}, future)));
  auto second = begin(one).value();
  stale = {};
  REQUIRE(ask(second, "INSERT INTO t VALUES (1)"));
  CHECK(done(second.async_commit({}, future)));
  CHECK(count() == "1");
}

TEST_CASE_FIXTURE(fixture, "a connection is used again after a lease, restored when it has to be") {
  CHECK(used_again([](pg_lease &) {}));
  CHECK(used_again([](pg_lease &l) { CHECK(ask(l, "SELECT 1")); }));
  CHECK(used_again([](pg_lease &l) { CHECK(ask(l, "BEGIN")); }));
  CHECK(used_again([](pg_lease &l) {
    CHECK(ask(l, "BEGIN"));
    CHECK_FALSE(ask(l, "SELECT 1/0"));
  }));
  CHECK(used_again([](pg_lease &l) { l.async_query(pg_statement("SELECT pg_sleep(100)"), future); }));
  CHECK_FALSE(used_again([](pg_lease &l) { l.discard(); }));
}

TEST_CASE_FIXTURE(fixture, "what is under way when a lease is given back completes once, and ends on the server") {
  std::future<result<pg_result>> pending;
  {
    auto lease = take(pool).value();
    pending = lease.async_query(pg_statement("SELECT pg_sleep(100)"), future);
    REQUIRE(until(pg_patience, [&] { return server.clients("query LIKE '%sleep(100)%' AND state = 'active'") == 1; }));
  }
  CHECK(got(std::move(pending)).error().is(status::cancelled));
  CHECK(until(pg_patience, [&] { return server.clients("state = 'active'") == 0; }));
  CHECK(until(pg_patience, [&] { return pool.stats().leased == 0; }));
}

TEST_CASE_FIXTURE(fixture, "DISCARD ALL where it was asked for") {
  for (bool discard : {false, true}) {
    CAPTURE(discard);
    pg_pool one(rt, {.conninfo = server.url(), .kind = "one", .max_size = 1, .discard_all = discard});
    {
      auto lease = take(one).value();
      REQUIRE(ask(lease, "SET statement_timeout = 12345"));
      REQUIRE(ask(lease, "SELECT 77"));
    }
    CHECK(text(ask(one, "SHOW statement_timeout")) == (discard ? "0" : "12345ms"));
    CHECK(text(ask(one, "SELECT 77")) == "77");
  }
}

TEST_CASE_FIXTURE(fixture, "waiters get leases in the order in which they came; a full pool says its counts") {
  pg_pool one(rt, {.conninfo = server.url(), .kind = "one", .max_size = 1, .max_waiting = 20});
  auto held = take(one).value();
  auto e = take(one, {.timeout = 50ms}).error();
  INFO(said(e));
  CHECK(e.is(status::busy));
  CHECK(e.message().find("1 of 1 connections") != std::string::npos);
  CHECK(e.message().find("last connect error: none") != std::string::npos);
  std::mutex mutex;
  std::vector<int> order;
  std::vector<pg_lease> leases;
  const auto waits = one.stats().waits;
  for (int i = 0; i < 20; ++i) {
    one.async_lease([&, i](result<pg_lease> r) {
      std::lock_guard lock(mutex);
      order.push_back(i);
      if (r) leases.push_back(std::move(*r));
    });
    REQUIRE(until(pg_patience, [&] { return one.stats().waiting == static_cast<std::uint32_t>(i) + 1; }));
  }
  CHECK(take(one).error().is(status::busy));
  held.release();
  for (std::size_t n = 1; n <= 20; ++n) {
    REQUIRE(until(pg_patience, [&] {
      std::lock_guard lock(mutex);
      return order.size() == n;
    }));
    std::lock_guard lock(mutex);
    CHECK(order.back() == static_cast<int>(n) - 1);
    leases.clear();
  }
  CHECK(one.stats().waits == waits + 20);
}

TEST_CASE_FIXTURE(fixture, "statements and leases wait for each other in the order in which they came") {
  pg_pool one(rt, {.conninfo = server.url(), .kind = "one", .max_size = 1});
  auto held = take(one).value();
  auto statement = one.async_query(pg_statement("SELECT 1"), future);
  REQUIRE(until(pg_patience, [&] { return one.stats().queued == 1; }));
  auto lease = one.async_lease(future);
  REQUIRE(until(pg_patience, [&] { return one.stats().waiting == 1; }));
  held.release();
  CHECK(text(got(std::move(statement))) == "1");
  auto second = got(std::move(lease));
  REQUIRE(second);
  CHECK(one.async_query(pg_statement("SELECT 2"), call{.timeout = 50ms}, future).get().error().is(status::busy));
}

TEST_CASE_FIXTURE(fixture, "a wait that is cancelled leaves nothing behind") {
  pg_pool one(rt, {.conninfo = server.url(), .kind = "one", .max_size = 1});
  auto held = take(one).value();
  boost::asio::io_context ctx;
  boost::asio::cancellation_signal cancel;
  std::optional<result<pg_lease>> answer;
  one.async_lease(boost::asio::bind_cancellation_slot(
      cancel.slot(), boost::asio::bind_executor(ctx, [&](result<pg_lease> r) { answer = std::move(r); })));
  boost::asio::post(ctx, [&] {
    CHECK(until(pg_patience, [&] { return one.stats().waiting == 1; }));
    cancel.emit(boost::asio::cancellation_type::all);
  });
  ctx.run_for(pg_patience);
  REQUIRE(answer);
  CHECK(answer->error().is(status::cancelled));
  CHECK(one.stats().waiting == 0);
  held.release();
  CHECK(take(one));
}

TEST_CASE_FIXTURE(fixture, "try_lease takes what is idle, and nothing else") {
  REQUIRE(until(pg_patience, [&] { return pool.stats().idle == 1; }));
  auto first = pool.try_lease();
  REQUIRE(first);
  CHECK_FALSE(pool.try_lease());
  CHECK(text(ask(first, "SELECT 1")) == "1");
}

TEST_CASE_FIXTURE(fixture, "threads that lease and give back at once: nobody is refused, and all that is idle can be had") {
  std::atomic<int> refused{0};
  auto work = [&] {
    for (int i = 0; i < 20'000; ++i) refused += !take(pool);
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back(work);
  for (auto &t : threads) t.join();
  CHECK(refused == 0);
  CHECK(pool.stats().leased == 0);
  CHECK(pool.stats().waiting == 0);
  auto first = take(pool), second = take(pool);
  REQUIRE(first);
  REQUIRE(second);
  CHECK(pool.stats().leased == 2);
  CHECK(first->backend() != second->backend());
}
