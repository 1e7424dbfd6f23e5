// A server that restarts, and server processes that are ended, under many callers.
#include "support/pg_crowd.hpp"
#include "support/resources.hpp"

using namespace corbel;
using namespace corbel::test;

namespace {
/// Survives an immediate shutdown without losing what was acknowledged.
postgres_server_options durable() { return {.settings = {"synchronous_commit = on"}}; }
}  // namespace

TEST_CASE("fast and immediate restarts under 200 callers: each loses at most its own statement") {
  const auto descriptors = open_descriptors();
  {
    postgres_server server(durable());
    server.ask("CREATE TABLE crowd (caller int, call int)");
    runtime rt;
    pg_pool pool(rt, {.conninfo = server.url(), .max_size = 8});
    pg_crowd crowd(pool, 200);
    REQUIRE(until(pg_patience, [&] { return crowd.ok() > 2000; }));
    for (int round = 0; round < 6; ++round) {
      CAPTURE(round);
      server.restart(round % 2 == 0 ? postgres_server::how::fast : postgres_server::how::immediate);
      const auto before = crowd.ok();
      REQUIRE(until(pg_patience, [&] { return crowd.ok() > before + 2000; }));
    }
    auto r = crowd.stop();
    check_rows(r, server);
    // Nothing but what was under way at a restart: at most one statement per caller and restart.
    CHECK(r.calls - r.ok <= 200 * 6);
    for (auto &[what, n] : r.failed) CHECK((what.starts_with("LOST") || what == "REFUSED 57P01" || what == "REFUSED 57P02"));
    auto s = pool.stats();
    CHECK(s.unanswered == 0);
    CHECK(s.queued == 0);
    CHECK(s.leased == 0);
    CHECK(s.open <= 8);
  }
  CHECK(until(20s, [&] { return open_descriptors() <= descriptors; }));
}

TEST_CASE("pg_terminate_backend on every connection in turn") {
  postgres_server server;
  server.ask("CREATE TABLE crowd (caller int, call int)");
  runtime rt;
  pg_pool pool(rt, {.conninfo = server.url(), .max_size = 8});
  pg_crowd crowd(pool, 200);
  REQUIRE(until(pg_patience, [&] { return crowd.ok() > 2000; }));
  for (int round = 0; round < 20; ++round) {
    const auto before = crowd.ok();
    server.ask(
        "SELECT pg_terminate_backend(pid) FROM (SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'corbel%' "
        "ORDER BY pid LIMIT 1 OFFSET " +
        std::to_string(round % 8) + ") x");
    REQUIRE(until(pg_patience, [&] { return crowd.ok() > before + 500; }));
  }
  auto r = crowd.stop();
  check_rows(r, server);
  // Only the statement that ran is ended by it; those behind it go on elsewhere.
  CHECK(r.calls - r.ok <= 20 * 2);
}

TEST_CASE("leases under restarts: each ends, none is handed out dead, no commit is lost") {
  postgres_server server(durable());
  server.ask("CREATE TABLE t (n int)");
  runtime rt;
  pg_pool pool(rt, {.conninfo = server.url(), .max_size = 4});
  std::atomic<bool> stop{false};
  std::atomic<int> committed{0}, doubtful{0};
  auto work = [&] {
    while (!stop) {
      auto tx = begin(pool, {}, {.timeout = 10s});
      if (!tx) continue;
      if (!ask(*tx, "INSERT INTO t VALUES (1)")) continue;
      auto done = got(tx->async_commit({}, boost::asio::use_future));
      committed += done.has_value();
      doubtful += !done && done.error().may_be_applied();
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) threads.emplace_back(work);
  for (int round = 0; round < 4; ++round) {
    const auto before = committed.load();
    CHECK(until(pg_patience, [&] { return committed > before + 50; }));
    server.restart(round % 2 == 0 ? postgres_server::how::immediate : postgres_server::how::fast);
  }
  stop = true;
  for (auto &t : threads) t.join();
  const auto n = std::stoi(server.value("SELECT count(*) FROM t"));
  CHECK(n >= committed);
  CHECK(n <= committed + doubtful);
  CHECK(until(pg_patience, [&] { return pool.stats().leased == 0 && pool.stats().waiting == 0; }));
}
