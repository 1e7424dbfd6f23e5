// Rows larger than memory, COPY in and out.
#include "support/pg_calls.hpp"
#include "support/postgres_server.hpp"
#include "support/resources.hpp"
#include "support/until.hpp"

#include <doctest/doctest.h>

using namespace corbel;
using namespace corbel::test;

namespace {
constexpr auto &future = boost::asio::use_future;
struct fixture {
  postgres_server server;
  runtime rt;
  pg_pool pool{rt, {.conninfo = server.url(), .max_size = 1}};
  fixture() { server.ask("CREATE TABLE t (id int PRIMARY KEY, name text)"); }
  std::string count() { return server.value("SELECT count(*) FROM t"); }
};
}  // namespace

TEST_CASE_FIXTURE(fixture, "a stream gives every row once, in order, then its tag") {
  auto lease = take(pool).value();
  auto stream =
      got(lease.async_stream(
              pg_statement("SELECT n, repeat('x', n % 50), NULL FROM generate_series(1, $1) n", 10000).binary_result(), 100,
              {}, future))
          .value();
  int expected = 1;
  std::string tag;
  for (;;) {
    auto r = got(stream.async_next({}, future));
    REQUIRE_MESSAGE(r, said(r.error()));
    tag = r->tag();
    if (r->empty()) break;
    CHECK(r->rows() <= 100);
    for (auto row : *r) {
      CHECK(row.get<int>(0) == expected);
      CHECK(row.bytes(1).size() == static_cast<std::size_t>(expected % 50));
      CHECK(row.is_null(2));
      ++expected;
    }
  }
  CHECK(expected == 10001);
  CHECK(tag == "SELECT 10000");
  CHECK(text(ask(lease, "SELECT 1")) == "1");
}

TEST_CASE_FIXTURE(fixture, "2 GB pass through 64 MiB") {
  auto lease = take(pool).value();
  auto stream =
      got(lease.async_stream(pg_statement("SELECT repeat('x', 100000) FROM generate_series(1, 21000)").binary_result(), 16,
                             {}, future))
          .value();
  const auto before = private_memory();
  std::size_t bytes = 0, most = 0;
  for (int chunk = 0;; ++chunk) {
    auto r = got(stream.async_next({}, future)).value();
    if (r.empty()) break;
    for (auto row : r) bytes += row.bytes(0).size();
    if (chunk % 50 == 0) most = std::max(most, private_memory());
  }
  CHECK(bytes == 2100000000);
  if (!sanitized()) CHECK(most < before + (64u << 20));
}

TEST_CASE_FIXTURE(fixture, "errors before and within a stream") {
  auto lease = take(pool).value();
  CHECK(got(lease.async_stream(pg_statement("SELECT nothing"), future)).error().native() == "42703");
  CHECK(text(ask(lease, "SELECT 1")) == "1");
  auto stream =
      got(lease.async_stream(pg_statement("SELECT 1 / (500 - n) FROM generate_series(1, 1000) n"), 100, {}, future)).value();
  std::size_t rows = 0;
  error why;
  while (!why) {
    auto r = got(stream.async_next({}, future));
    why = r.error();
    if (r) rows += r->rows();
    REQUIRE((!r || !r->empty()));
  }
  CHECK(why.native() == "22012");
  CHECK(rows == 499);
  CHECK(text(ask(lease, "SELECT 2")) == "2");
}

TEST_CASE_FIXTURE(fixture, "a stream that is left is cancelled on the server; the lease goes on") {
  auto lease = take(pool).value();
  {
    auto stream =
        got(lease.async_stream(pg_statement("SELECT repeat('x', 1000), generate_series(1, 100000000)"), future)).value();
    CHECK(got(stream.async_next({}, future)));
  }
  CHECK(text(ask(lease, "SELECT 1", {.timeout = 20s})) == "1");
  CHECK(server.clients("state = 'active'") == 0);
}

TEST_CASE_FIXTURE(fixture, "one operation at a time; a deadline ends a stream") {
  auto lease = take(pool).value();
  auto stream = got(lease.async_stream(pg_statement("SELECT n, repeat('x', 20000), CASE WHEN n > 2 THEN pg_sleep(50) END "
                                                    "FROM generate_series(1, 3) n"),
                                       1, {}, future))
                    .value();
  CHECK(got(stream.async_next({}, future))->get<int>(0, 0) == 1);
  auto slow = stream.async_next({.timeout = 200ms}, future);
  CHECK(got(stream.async_next({}, future)).error().is(status::state));
  CHECK(got(std::move(slow)).error().is(status::timeout));
  CHECK(text(ask(lease, "SELECT 1", {.timeout = 20s})) == "1");
}

TEST_CASE_FIXTURE(fixture, "COPY in keeps its rows when it is finished, and none when it is not") {
  auto lease = take(pool).value();
  {
    auto copy = got(lease.async_copy_in("COPY t FROM STDIN", {}, future)).value();
    std::string lines;
    for (int i = 0; i < 100000; ++i) lines += std::to_string(i) + "\tname " + std::to_string(i) + "\n";
    const auto cut = lines.size() / 3 + 1;
    CHECK(got(copy.async_write(lines.substr(0, cut), {}, future)));
    CHECK(got(copy.async_write(lines.substr(cut), {}, future)));
    CHECK(count() == "0");
    CHECK(got(copy.async_finish({}, future)).value() == 100000);
    CHECK(got(copy.async_write("x", {}, future)).error().is(status::state));
  }
  CHECK(count() == "100000");
  REQUIRE(ask(lease, "TRUNCATE t"));
  {
    auto copy = got(lease.async_copy_in("COPY t FROM STDIN", {}, future)).value();
    CHECK(got(copy.async_write("1\tone\n2\ttwo\n", {}, future)));
  }
  CHECK(text(ask(lease, "SELECT count(*) FROM t")) == "0");
}

TEST_CASE_FIXTURE(fixture, "errors of COPY") {
  auto lease = take(pool).value();
  CHECK(got(lease.async_copy_in("COPY nothing FROM STDIN", {}, future)).error().native() == "42P01");
  CHECK(got(lease.async_copy_in("SELECT 1", {}, future)).error().is(status::invalid));
  CHECK(got(lease.async_copy_out("INSERT INTO t VALUES (1)", {}, future)).error().is(status::invalid));
  for (int i = 0; i < 3; ++i) {  // the other direction
    CHECK(got(lease.async_copy_in("COPY t TO STDOUT", {}, future)).error().is(status::invalid));
    CHECK(got(lease.async_copy_out("COPY t FROM STDIN", {}, future)).error().is(status::invalid));
  }
  REQUIRE(ask(lease, "TRUNCATE t"));
  auto copy = got(lease.async_copy_in("COPY t FROM STDIN", {}, future)).value();
  CHECK(got(copy.async_write("1\tone\n1\tagain\n", {}, future)));
  CHECK(got(copy.async_finish({}, future)).error().native() == "23505");
  CHECK(text(ask(lease, "SELECT count(*) FROM t")) == "0");
}

TEST_CASE_FIXTURE(fixture, "COPY out gives every byte") {
  server.ask("INSERT INTO t SELECT n, repeat('y', n % 100) FROM generate_series(1, 50000) n");
  auto lease = take(pool).value();
  auto copy = got(lease.async_copy_out("COPY (SELECT id, name FROM t ORDER BY id) TO STDOUT", {}, future)).value();
  std::string all;
  for (;;) {
    auto r = got(copy.async_read({}, future));
    REQUIRE(r);
    if (r->empty()) break;
    all += *r;
  }
  std::string expected;
  for (std::size_t i = 1; i <= 50000; ++i) expected += std::to_string(i) + "\t" + std::string(i % 100, 'y') + "\n";
  CHECK((all == expected));
  {
    auto left = got(lease.async_copy_out("COPY t TO STDOUT", {}, future)).value();
    CHECK(got(left.async_read({}, future)));
  }
  CHECK(text(ask(lease, "SELECT 1", {.timeout = 20s})) == "1");
}

TEST_CASE_FIXTURE(fixture, "COPY within a transaction is rolled back with it") {
  {
    auto tx = got(pool.async_begin({}, {}, future)).value();
    auto copy = got(tx.lease().async_copy_in("COPY t FROM STDIN", {}, future)).value();
    CHECK(got(copy.async_write("1\tone\n", {}, future)));
    CHECK(got(copy.async_finish({}, future)).value() == 1);
    CHECK(text(ask(tx, "SELECT count(*) FROM t")) == "1");
  }
  CHECK(text(ask(pool, "SELECT count(*) FROM t")) == "0");
}
