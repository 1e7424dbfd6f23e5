// Prepared statements: the cache, its limit, its switch, and a pooler that gives each transaction another server process.
#include "support/child_process.hpp"
#include "support/free_port.hpp"
#include "support/pg_calls.hpp"
#include "support/postgres_server.hpp"
#include "support/until.hpp"

#include <doctest/doctest.h>

using namespace corbel;
using namespace corbel::test;

namespace {
struct fixture {
  postgres_server server;
  runtime rt;
  pg_options options(std::uint32_t max_prepared) {
    return {.conninfo = server.url(), .kind = "prepared", .max_size = 1, .max_prepared = max_prepared};
  }
  std::string prepared(pg_pool &pool) {
    return text(ask(pool, pg_statement("SELECT count(*) FROM pg_prepared_statements").unprepared()));
  }
};
}  // namespace

TEST_CASE_FIXTURE(fixture, "a statement is prepared once per connection, and the cache keeps its limit") {
  pg_pool pool(rt, options(5));
  for (int i = 0; i < 100; ++i) CHECK(text(ask(pool, pg_statement("SELECT $1", i))) == std::to_string(i));
  CHECK(prepared(pool) == "1");
  CHECK(text(ask(pool, pg_statement("SELECT $1", "text"))) == "text");
  CHECK(prepared(pool) == "2");
  for (int i = 0; i < 50; ++i) CHECK(text(ask(pool, pg_statement("SELECT " + std::to_string(i)))) == std::to_string(i));
  CHECK(until(pg_patience, [&] { return prepared(pool) == "5"; }));
  for (int i = 0; i < 10; ++i) CHECK(text(ask(pool, pg_statement("SELECT 'one' || $1", "shot").unprepared())) == "oneshot");
  CHECK(prepared(pool) == "5");
}

TEST_CASE_FIXTURE(fixture, "switched off, nothing is prepared") {
  pg_pool pool(rt, options(0));
  for (int i = 0; i < 10; ++i) CHECK(text(ask(pool, pg_statement("SELECT $1", i))) == std::to_string(i));
  CHECK(prepared(pool) == "0");
}

TEST_CASE_FIXTURE(fixture, "what the server has forgotten, or plans anew, is prepared again unnoticed") {
  pg_pool pool(rt, options(100));
  REQUIRE(ask(pool, "CREATE TABLE t AS SELECT 1 AS a"));
  CHECK(ask(pool, "SELECT * FROM t")->columns() == 1);
  {
    auto lease = take(pool).value();
    REQUIRE(ask(lease, "DEALLOCATE ALL"));
  }
  CHECK(ask(pool, "SELECT * FROM t")->columns() == 1);
  server.ask("ALTER TABLE t ADD b int");
  CHECK(ask(pool, "SELECT * FROM t")->columns() == 2);
  CHECK(pool.stats().repeated == 2);
}

TEST_CASE_FIXTURE(fixture, "a statement that cannot be prepared leaves no trace") {
  pg_pool pool(rt, options(100));
  for (int i = 0; i < 3; ++i) CHECK(ask(pool, "SELECT * FROM nothing").error().native() == "42P01");
  server.ask("CREATE TABLE nothing ()");
  CHECK(ask(pool, "SELECT * FROM nothing"));
}

TEST_CASE_FIXTURE(fixture, "behind pgbouncer in transaction mode") {
  temp_dir dir;
  give_to_postgres(dir.path().string());
  const auto port = free_port();
  dir.write("users.txt", "\"postgres\" \"\"\n");
  const auto ini =
      dir.write("pgbouncer.ini", "[databases]\npostgres = host=127.0.0.1 port=" + std::to_string(server.port()) +
                                     "\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = " + std::to_string(port) +
                                     "\nunix_socket_dir =\nauth_type = trust\nauth_file = " + dir.file("users.txt") +
                                     "\npool_mode = transaction\ndefault_pool_size = 3\nmax_client_conn = 100\n"
                                     "ignore_startup_parameters = extra_float_digits\n");
  dir.write("log", "");
  child_process bouncer(as_postgres({"/usr/sbin/pgbouncer", ini}), dir.file("log"));
  pg_pool pool(rt, {.conninfo = "postgresql://postgres@127.0.0.1:" + std::to_string(port) + "/postgres",
                    .kind = "bounced",
                    .max_prepared = 0});
  auto created = ask(pool, "CREATE TABLE t (n int)");
  REQUIRE_MESSAGE(created, said(created.error()));
  std::vector<std::future<result<pg_result>>> all;
  for (int i = 0; i < 2000; ++i) {
    auto s =
        i % 2 == 0 ? pg_statement("SELECT $1", i).read_only() : pg_statement("INSERT INTO t VALUES ($1) RETURNING n", i);
    all.push_back(pool.async_query(std::move(s), boost::asio::use_future));
  }
  for (int i = 0; i < 2000; ++i) CHECK(text(got(std::move(all[static_cast<std::size_t>(i)]))) == std::to_string(i));
  {
    auto tx = begin(pool).value();
    REQUIRE(ask(tx, "INSERT INTO t VALUES (1)"));
    CHECK(text(ask(tx, "SELECT count(*) FROM t")) == "1001");
  }
  CHECK(text(ask(pool, "SELECT count(*) FROM t")) == "1000");
  CHECK(server.clients() <= 4);
  bouncer.stop();
}
