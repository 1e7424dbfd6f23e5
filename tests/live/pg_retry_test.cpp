// A transaction function that is run again after a serialization failure or a deadlock.
#include "support/pg_calls.hpp"
#include "support/postgres_server.hpp"

#include <corbel/pg_retry.hpp>

#include <boost/asio/co_spawn.hpp>
#include <doctest/doctest.h>

#include <atomic>

using namespace corbel;
using namespace corbel::test;
namespace asio = boost::asio;

namespace {

struct fixture {
  postgres_server server;
  runtime rt;
  pg_pool pool{rt, {.conninfo = server.url(), .max_size = 8}};
  std::atomic<int> runs{0};
  fixture() { server.ask("CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 0), (2, 0)"); }

  template <class F>
  auto run(F fn, unsigned attempts = 30) {
    const pg_transaction_options o{.level = pg_transaction_options::isolation::serializable};
    const pg_retry_policy p{.attempts = attempts};
    auto promise = std::make_shared<std::promise<result<int>>>();
    auto whole = [pool = pool, o, p, fn = std::move(fn), promise]() mutable -> asio::awaitable<void> {
      const call c{.timeout = 25s};
      promise->set_value(co_await pg_retry(pool, o, p, c, std::move(fn)));
    };
    asio::co_spawn(pool.executor(), std::move(whole), [promise](std::exception_ptr e) {
      if (e) promise->set_exception(e);
    });
    return promise->get_future();
  }
};

asio::awaitable<result<int>> add_one(pg_transaction &tx, std::atomic<int> &runs) {
  ++runs;
  pg_statement read("SELECT n FROM t WHERE id = 1");
  const call c;
  auto r = co_await tx.async_query(std::move(read), c, asio::use_awaitable);
  if (!r) co_return r.error();
  const int n = r->get<int>(0, 0);
  pg_statement write("UPDATE t SET n = $1 WHERE id = 1", n + 1);
  auto w = co_await tx.async_query(std::move(write), c, asio::use_awaitable);
  if (!w) co_return w.error();
  co_return n + 1;
}

}  // namespace

TEST_CASE_FIXTURE(fixture, "concurrent increments are all counted, though they conflict") {
  std::vector<std::future<result<int>>> all;
  for (int i = 0; i < 40; ++i) all.push_back(run([this](pg_transaction &tx) { return add_one(tx, runs); }));
  int counted = 0;
  for (auto &f : all) {
    auto r = got(std::move(f), 60s);
    CHECK_MESSAGE(r, said(r.error()));
    counted += r.has_value();
  }
  CHECK(server.value("SELECT n FROM t WHERE id = 1") == std::to_string(counted));
  CHECK(runs > 40);
}

TEST_CASE_FIXTURE(fixture, "an error rolls back and is not tried again; an exception too") {
  auto r = got(run([this](pg_transaction &tx) -> asio::awaitable<result<int>> {
    ++runs;
    pg_statement write("UPDATE t SET n = 7");
    const call c;
    co_await tx.async_query(std::move(write), c, asio::use_awaitable);
    co_return error(status::invalid, "no");
  }));
  CHECK(r.error().message() == "no");
  CHECK(runs == 1);
  CHECK(server.value("SELECT max(n) FROM t") == "0");
  auto f = run([this](pg_transaction &tx) -> asio::awaitable<result<int>> {
    pg_statement write("UPDATE t SET n = 7");
    const call c;
    co_await tx.async_query(std::move(write), c, asio::use_awaitable);
    throw std::runtime_error("thrown");
    co_return 1;
  });
  CHECK_THROWS_WITH(f.get(), "thrown");
  CHECK(text(ask(pool, "SELECT max(n) FROM t")) == "0");
}

TEST_CASE_FIXTURE(fixture, "attempts are bounded") {
  auto r = got(run(
      [this](pg_transaction &tx) -> asio::awaitable<result<int>> {
        ++runs;
        pg_statement fail("DO $$ BEGIN RAISE SQLSTATE '40001'; END $$");
        const call c;
        auto failed = co_await tx.async_query(std::move(fail), c, asio::use_awaitable);
        if (!failed) co_return failed.error();
        co_return 1;
      },
      3));
  CHECK(r.error().native() == "40001");
  CHECK(r.error().may_retry());
  CHECK(runs == 3);
}
