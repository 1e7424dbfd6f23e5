// A lease of a connection taken and given back while an idle one is there: no I/O, one thread.
//
//     bench_pg_lease --port 5432 --seconds 1.5 --how try|await
//
// try: pg_pool::try_lease on a thread beside the runtime's own. await: co_await async_lease inside the host's io_context.

#include "measure.h"

#include <corbel/pg_pool.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <chrono>
#include <stdexcept>
#include <string>

namespace {

namespace asio = boost::asio;

constexpr int batch = 1000;  // between two looks at the clock

void try_lease(const corbel::pg_options &options, double seconds) {
  corbel::runtime rt;
  corbel::pg_pool pool(rt, options);
  pool.async_lease(asio::use_future).get().value().release();
  const auto give_up = measure_now() + 5;
  while (pool.stats().idle != 1)
    if (measure_now() > give_up) throw std::runtime_error("no idle connection after a lease was given back");
  auto watch = stop_watch_begin(seconds);
  do {
    for (int i = 0; i < batch; i++) {
      auto lease = pool.try_lease();
      if (!lease) throw std::runtime_error("try_lease found no idle connection");
      lease.release();
    }
  } while (stop_watch_goes_on(&watch, batch));
  rt.shutdown(std::chrono::seconds(1)).value();
}

asio::awaitable<void> await_lease(corbel::pg_pool &pool, double seconds) {
  (co_await pool.async_lease(asio::use_awaitable)).value().release();
  auto watch = stop_watch_begin(seconds);
  do {
    for (int i = 0; i < batch; i++) (co_await pool.async_lease(asio::use_awaitable)).value().release();
  } while (stop_watch_goes_on(&watch, batch));
}

void await_leases(const corbel::pg_options &options, double seconds) {
  asio::io_context ctx{1};
  corbel::runtime rt(ctx);
  corbel::pg_pool pool(rt, options);
  asio::co_spawn(ctx, await_lease(pool, seconds), [&](std::exception_ptr e) {
    if (e) std::rethrow_exception(e);
    rt.async_shutdown(std::chrono::seconds(1), [&](const corbel::result<void> &) { ctx.stop(); });
  });
  ctx.run();
}

}  // namespace

int main(int argc, char **argv) try {
  const double seconds = measure_number(argc, argv, "seconds", 1.5);
  const std::string how = measure_option(argc, argv, "how", "try");
  corbel::pg_options options;
  options.conninfo =
      std::string("postgresql://postgres@127.0.0.1:") + measure_option(argc, argv, "port", "5432") + "/postgres";
  options.max_size = 1;
  how == "await" ? await_leases(options, seconds) : try_lease(options, seconds);
  return 0;
} catch (const std::exception &e) {
  std::fprintf(stderr, "bench_pg_lease: %s\n", e.what());
  return 1;
}
