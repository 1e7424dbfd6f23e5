// N coroutines that GET in a loop on one pool, everything on one thread: the host's io_context.
//
//     bench_redis_callers --port 6379 --callers 64 --seconds 1.5 --key k --size 64

#include "measure.h"

#include <corbel/redis_pool.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <stdexcept>
#include <string>

namespace {

namespace asio = boost::asio;

struct bench {
  std::string key;
  std::size_t size = 0;
  bool running = true;
  int callers = 0;
  unsigned long done = 0;
  unsigned long looked_at = 0;
};

asio::awaitable<void> caller(corbel::redis_pool &pool, bench &b) {
  while (b.running) {
    auto reply = co_await pool.async_send(corbel::redis_command("GET", b.key), asio::use_awaitable);
    const auto text = reply.value()->text();
    if (text.size() != b.size) throw std::runtime_error("not the value that was set");
    b.looked_at += static_cast<unsigned char>(text[b.done % b.size]);
    ++b.done;
  }
  --b.callers;
}

void rethrow(std::exception_ptr e) {
  if (e) std::rethrow_exception(e);
}

asio::awaitable<void> measured(corbel::redis_pool &pool, bench &b, double seconds) {
  const auto executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor);
  const auto sleep = [&timer](double s) {
    timer.expires_after(std::chrono::microseconds(std::int64_t(1e6 * s)));
    return timer.async_wait(asio::use_awaitable);
  };
  for (int i = 0; i < b.callers; i++) asio::co_spawn(executor, caller(pool, b), rethrow);
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
  b.key = measure_option(argc, argv, "key", "key:__rand_int__");
  b.size = static_cast<std::size_t>(measure_number(argc, argv, "size", 64));
  b.callers = static_cast<int>(measure_number(argc, argv, "callers", 1));

  asio::io_context ctx{1};
  corbel::runtime rt(ctx);
  corbel::redis_options options;
  options.url = std::string("redis://127.0.0.1:") + measure_option(argc, argv, "port", "6379");
  corbel::redis_pool pool(rt, options);
  asio::co_spawn(ctx, measured(pool, b, measure_number(argc, argv, "seconds", 1.5)), [&](std::exception_ptr e) {
    rethrow(e);
    rt.async_shutdown(std::chrono::seconds(1), [&](const corbel::result<void> &) { ctx.stop(); });
  });
  ctx.run();
  return b.looked_at ? 0 : 1;
} catch (const std::exception &e) {
  std::fprintf(stderr, "bench_redis_callers: %s\n", e.what());
  return 1;
}
