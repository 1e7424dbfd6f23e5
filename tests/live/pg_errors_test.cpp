// Errors of the server, notices, and what a statement must not be.
#include "support/log_lines.hpp"
#include "support/pg_calls.hpp"
#include "support/postgres_server.hpp"
#include "support/until.hpp"

#include <doctest/doctest.h>

using namespace corbel;
using namespace corbel::test;

namespace {
struct fixture {
  postgres_server server;
  log_lines lines;
  runtime rt{{.level = log_level::debug, .log = lines.collector()}};
  pg_pool pool{rt, {.conninfo = server.url()}};
  std::string field(const error &e, const char *name) {
    auto *text = e.field(name);
    return text ? *text : "none";
  }
};
}  // namespace

TEST_CASE_FIXTURE(fixture, "an error keeps SQLSTATE, detail, hint, position, table, column and constraint") {
  REQUIRE(ask(pool, "CREATE TABLE users (id int CONSTRAINT users_key PRIMARY KEY, name text NOT NULL)"));
  REQUIRE(ask(pool, "INSERT INTO users VALUES (1, 'ada')"));
  auto e = ask(pool, "INSERT INTO users VALUES (1, 'bob')").error();
  CHECK(e.is(status::refused));
  CHECK(e.source() == "postgres");
  CHECK(e.native() == "23505");
  CHECK(e.flags() == 0);
  CHECK(field(e, "constraint") == "users_key");
  CHECK(field(e, "table") == "users");
  CHECK(field(e, "schema") == "public");
  CHECK(field(e, "detail") == "Key (id)=(1) already exists.");
  CHECK(field(e, "severity") == "ERROR");
  CHECK(field(ask(pool, "INSERT INTO users VALUES (2, NULL)").error(), "column") == "name");
  auto typo = ask(pool, "SELECT nme FROM users").error();
  CHECK(typo.native() == "42703");
  CHECK(field(typo, "position") == "8");
  CHECK(field(typo, "hint").find("name") != std::string::npos);
  CHECK(typo.field("nothing") == nullptr);
}

TEST_CASE_FIXTURE(fixture, "an error at the commit of a statement is that statement's") {
  REQUIRE(ask(pool, "CREATE TABLE parent (id int PRIMARY KEY)"));
  REQUIRE(ask(pool, "CREATE TABLE child (id int REFERENCES parent DEFERRABLE INITIALLY DEFERRED)"));
  // The deferred check fails after the server has said INSERT 0 1.
  CHECK(ask(pool, "INSERT INTO child VALUES (7)").error().native() == "23503");
  CHECK(text(ask(pool, "SELECT count(*) FROM child")) == "0");
  CHECK(text(ask(pool, "SELECT 1")) == "1");
}

TEST_CASE_FIXTURE(fixture, "an error hits none of its neighbours") {
  std::vector<std::future<result<pg_result>>> all;
  for (int i = 0; i < 200; ++i)
    all.push_back(pool.async_query((i % 3 == 0   ? pg_statement("SELECT FROM FROM")
                                    : i % 3 == 1 ? pg_statement("SELECT 1/0")
                                                 : pg_statement("SELECT 1"))
                                       .read_only(),
                                   boost::asio::use_future));
  for (int i = 0; i < 200; ++i) {
    CAPTURE(i);
    auto r = got(std::move(all[static_cast<std::size_t>(i)]));
    CHECK((r ? text(r) : r.error().native()) == (i % 3 == 0 ? "42601" : i % 3 == 1 ? "22012" : "1"));
  }
}

TEST_CASE_FIXTURE(fixture, "notices go to the log") {
  REQUIRE(ask(pool, "DO $$ BEGIN RAISE NOTICE 'a note'; RAISE WARNING 'a warning'; END $$"));
  CHECK(until(pg_patience, [&] { return lines.count("a note") == 1 && lines.count("a warning", log_level::warning) == 1; }));
  CHECK(lines.count("a note", log_level::warning) == 0);
}

TEST_CASE_FIXTURE(fixture, "what changes or holds a connection needs a lease") {
  for (auto sql : {"BEGIN", "start transaction", "/* a /* nested */ one */ SET x = 1", "-- line\n LISTEN a", "; COMMIT",
                   "declare c cursor for select 1", "PREPARE p AS SELECT 1", "LOCK TABLE pg_class", "DISCARD ALL",
                   "COPY t FROM STDIN"}) {
    CAPTURE(sql);
    auto e = ask(pool, sql).error();
    CHECK(e.is(status::invalid));
    CHECK(e.native() == "STATEMENT");
  }
  CHECK(ask(pool, pg_statement(std::string_view("SELECT 1\0", 9))).error().is(status::invalid));
  CHECK(ask(pool, pg_statement("SELECT $1::text", std::string("a\0b", 3))).error().is(status::invalid));
  CHECK(text(ask(pool, "WITH x AS (SELECT 1) SELECT * FROM x")) == "1");
  CHECK(text(ask(pool, "(SELECT 2)")) == "2");
  CHECK(ask(pool, "VACUUM").has_value());
  CHECK(ask(pool, "").has_value());
}

TEST_CASE_FIXTURE(fixture, "the settings that a pool has, and its application name") {
  CHECK(text(ask(pool, "SHOW client_encoding")) == "UTF8");
  auto name = text(ask(pool, "SHOW application_name"));
  CHECK(name.starts_with("corbel:"));
  CHECK(name.ends_with(":" + std::to_string(::getpid())));
  pg_pool named(rt, {.conninfo = server.url("application_name=mine"), .kind = "named"});
  CHECK(text(ask(named, "SHOW application_name")) == "mine");
}
