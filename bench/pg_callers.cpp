// N coroutines that run one statement in a loop on one pool, everything on one thread: the host's io_context.
//
//     bench_pg_callers --port 5432 --callers 64 --connections 8 --statement one|lookup --read-only 0 --seconds 1.5

#include "measure.h"

#include <corbel/pg_pool.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <stdexcept>
#include <string>

namespace {

namespace asio = boost::asio;

constexpr unsigned rows = 100000;  // of the table

struct bench {
  bool is_lookup = false, read_only = false;
  bool running = true;
  int callers = 0;
  unsigned long done = 0;
};

asio::awaitable<void> caller(corbel::pg_pool &pool, bench &b, unsigned id) {
  while (b.running) {
    id = (id * 1103515245u + 12345u) % rows;
    corbel::pg_statement statement = b.is_lookup
                                         ? corbel::pg_statement("SELECT name FROM bench WHERE id = $1", static_cast<int>(id))
                                         : corbel::pg_statement("SELECT 1");
    if (b.read_only) statement.read_only();
    const auto result = co_await pool.async_query(std::move(statement), asio::use_awaitable);
    const auto text = result.value().bytes(0, 0);
    if (text.empty() || (!b.is_lookup && text != "1")) throw std::runtime_error("not the value that is there");
    ++b.done;
  }
  --b.callers;
}

void rethrow(std::exception_ptr e) {
  if (e) std::rethrow_exception(e);
}

asio::awaitable<void> measured(corbel::pg_pool &pool, bench &b, double seconds) {
  const auto executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor);
  const auto sleep = [&timer](double s) {
    timer.expires_after(std::chrono::microseconds(std::int64_t(1e6 * s)));
    return timer.async_wait(asio::use_awaitable);
  };
  for (int i = 0; i < b.callers; i++) asio::co_spawn(executor, caller(pool, b, static_cast<unsigned>(i)), rethrow);
  co_await sleep(MEASURE_WARM_UP);
  const auto before = b.done;
  auto m = measure_begin();
  co_await sleep(seconds);
  measure_end(&m);
  measure_print(&m, static_cast<double>(b.done - before));
  b.running = false;
  while (b.callers) co_await sleep(0.001);
}

}  // namespace

int main(int argc, char **argv) try {
  bench b;
  b.callers = static_cast<int>(measure_number(argc, argv, "callers", 1));
  b.is_lookup = std::string(measure_option(argc, argv, "statement", "one")) == "lookup";
  b.read_only = measure_number(argc, argv, "read-only", 0) != 0;
  const auto connections = static_cast<std::uint32_t>(measure_number(argc, argv, "connections", 1));

  asio::io_context ctx{1};
  corbel::runtime rt(ctx);
  corbel::pg_options options;
  options.conninfo = std::string("postgresql://postgres@127.0.0.1:") + measure_option(argc, argv, "port", "5432") +
                     "/postgres?sslmode=disable";
  options.min_size = options.max_size = connections;
  corbel::pg_pool pool(rt, options);
  asio::co_spawn(ctx, measured(pool, b, measure_number(argc, argv, "seconds", 1.5)), [&](std::exception_ptr e) {
    rethrow(e);
    rt.async_shutdown(std::chrono::seconds(1), [&](const corbel::result<void> &) { ctx.stop(); });
  });
  ctx.run();
  return b.done ? 0 : 1;
} catch (const std::exception &e) {
  std::fprintf(stderr, "bench_pg_callers: %s\n", e.what());
  return 1;
}
