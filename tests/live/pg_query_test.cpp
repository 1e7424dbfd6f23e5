// Statements of many callers on connections that they share.
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
  pg_pool pool{rt, {.conninfo = server.url()}};
};
}  // namespace

TEST_CASE_FIXTURE(fixture, "a statement and its result") {
  auto r = ask(pool, pg_statement("SELECT $1 + 1 AS sum, $2 AS name, NULL AS nothing", 41, "ada"));
  REQUIRE_MESSAGE(r, said(r.error()));
  CHECK(r->rows() == 1);
  CHECK(r->columns() == 3);
  CHECK(r->get<int>(0, 0) == 42);
  CHECK((*r)[0].get<std::string>("name") == "ada");
  CHECK(r->is_null(0, 2));
  CHECK(std::string(r->tag()) == "SELECT 1");
  CHECK(text(ask(pool, "CREATE TABLE t (id int PRIMARY KEY)")) == "");
  auto inserted = ask(pool, "INSERT INTO t SELECT generate_series(1, 7)");
  CHECK(inserted->affected() == 7);
}

TEST_CASE_FIXTURE(fixture, "many at once, each with its own outcome") {
  std::vector<std::future<result<pg_result>>> all;
  for (int i = 0; i < 1000; ++i) {
    auto s = i % 10 == 3 ? pg_statement("SELECT 1 / $1", 0) : pg_statement("SELECT $1", i);
    if (i % 2 == 0) s.read_only();
    all.push_back(pool.async_query(std::move(s), boost::asio::use_future));
  }
  for (int i = 0; i < 1000; ++i) {
    CAPTURE(i);
    auto r = got(std::move(all[static_cast<std::size_t>(i)]));
    if (i % 10 == 3)
      CHECK(r.error().native() == "22012");
    else
      CHECK(text(r) == std::to_string(i));
  }
  auto s = pool.stats();
  CHECK(s.statements == 1000);
  CHECK(s.errors == 100);
  CHECK(s.unanswered == 0);
  CHECK(s.open <= 10);
}
