// Lesson: a transaction by scope. pg_retry commits when the function gives a value, rolls back when it gives an error or
// throws, and runs it again when the server says that another transaction was in the way.
//
//     DATABASE_URL=postgresql://postgres@localhost/postgres build/dev/examples/lessons/lesson_cpp_transaction
#include <corbel/pg_retry.hpp>

#include <boost/asio/co_spawn.hpp>

#include <cstdio>
#include <cstdlib>
#include <exception>

namespace asio = boost::asio;
using namespace std::chrono_literals;

static asio::awaitable<void> run(const corbel::pg_pool &pool, const char *sql) {
  corbel::pg_statement statement(sql);
  (co_await pool.async_query(std::move(statement), asio::use_awaitable)).value();
}

static asio::awaitable<void> show(const corbel::pg_pool &pool, const char *when) {
  corbel::pg_statement statement("SELECT money FROM lesson_accounts WHERE id = 1");
  const auto r = co_await pool.async_query(std::move(statement), asio::use_awaitable);
  std::printf("after the %s: %d\n", when, r.value().get<int>(0, 0));
}

// Takes money from one account, gives it to another; an error from the server ends the transaction.
static asio::awaitable<corbel::result<int>> move_money(corbel::pg_transaction &tx, int amount) {
  const corbel::call call;
  corbel::pg_statement take("UPDATE lesson_accounts SET money = money - $1 WHERE id = 1", amount);
  if (auto r = co_await tx.async_query(std::move(take), call, asio::use_awaitable); !r) co_return r.error();
  corbel::pg_statement give("UPDATE lesson_accounts SET money = money + $1 WHERE id = 2", amount);
  if (auto r = co_await tx.async_query(std::move(give), call, asio::use_awaitable); !r) co_return r.error();
  co_return amount;
}

static asio::awaitable<void> lesson(corbel::runtime &rt, const char *url) {
  {
    corbel::pg_options options;
    options.conninfo = url;
    corbel::pg_pool pool(rt, options);
    co_await run(pool, "DROP TABLE IF EXISTS lesson_accounts");
    co_await run(pool, "CREATE TABLE lesson_accounts (id int PRIMARY KEY, money int CHECK (money >= 0))");
    co_await run(pool, "INSERT INTO lesson_accounts VALUES (1, 100), (2, 0)");

    corbel::pg_transaction_options serializable;
    serializable.level = corbel::pg_transaction_options::isolation::serializable;
    const corbel::pg_retry_policy policy;
    const corbel::call call;
    for (const int amount : {300, 30}) {  // the first one is more than there is
      auto moved = co_await corbel::pg_retry(pool, serializable, policy, call,
                                             [amount](corbel::pg_transaction &tx) { return move_money(tx, amount); });
      co_await show(pool, moved ? "commit" : "rollback");
    }
    co_await run(pool, "DROP TABLE lesson_accounts");
  }
  (co_await rt.async_shutdown(5s, asio::use_awaitable)).value();
}

int main() {
  std::puts("lesson: transaction");
  const char *url = std::getenv("DATABASE_URL");
  asio::io_context loop(1);
  corbel::runtime rt(loop, {.name = "transaction"});
  asio::co_spawn(loop, lesson(rt, url ? url : "postgresql://postgres@localhost/postgres"), [](std::exception_ptr e) {
    if (e) std::rethrow_exception(e);
  });
  loop.run();
}
