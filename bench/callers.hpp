#pragma once
// What the queue's programs share: coroutines on the host's io_context, a time to measure, an orderly end.

#include "measure.h"

#include <corbel/queue.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace bench {

namespace asio = boost::asio;

inline void rethrow(std::exception_ptr e) {
  if (e) std::rethrow_exception(e);
}

inline asio::awaitable<void> sleep(double seconds) {
  asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::microseconds(std::int64_t(1e6 * seconds)));
  co_await timer.async_wait(asio::use_awaitable);
}

/// After the warm-up, for so many seconds or until done has reached all; prints the result.
inline asio::awaitable<void> measured(const unsigned long &done, double seconds, unsigned long all = ~0ul) {
  co_await sleep(MEASURE_WARM_UP);
  const auto before = done;
  auto m = measure_begin();
  while (measure_now() - m.wall < seconds && done < all) co_await sleep(0.005);
  measure_end(&m);
  measure_print(&m, static_cast<double>(done - before));
}

inline asio::awaitable<void> put_one(corbel::producer &in, const std::string &body) {
  corbel::put_item item{.body = body};
  const auto put = co_await in.async_put(std::move(item), asio::use_awaitable);
  if (put.value().ids.size() != 1) throw std::runtime_error("a put without an id");
}

/// Puts so many, 500 in a call.
inline asio::awaitable<void> fill(corbel::producer &in, const std::string &body, long messages) {
  const corbel::call patient{.timeout = std::chrono::seconds(30)};
  while (messages > 0) {
    const auto some = std::min(messages, 500l);
    std::vector<corbel::put_item> items(static_cast<std::size_t>(some), corbel::put_item{.body = body});
    (void)(co_await in.async_put(std::move(items), patient, asio::use_awaitable)).value();
    messages -= some;
  }
}

/// Runs main_coroutine(pool) on an io_context of one thread, then shuts the runtime down.
template <class F>
int run(int argc, char **argv, F main_coroutine) try {
  asio::io_context ctx{1};
  corbel::runtime rt(ctx);
  corbel::redis_options options;
  options.url = std::string("redis://127.0.0.1:") + measure_option(argc, argv, "port", "6379");
  corbel::redis_pool pool(rt, options);
  asio::co_spawn(ctx, main_coroutine(pool), [&](std::exception_ptr e) {
    rethrow(e);
    rt.async_shutdown(std::chrono::seconds(5), [&](const corbel::result<void> &) { ctx.stop(); });
  });
  ctx.run();
  return 0;
} catch (const std::exception &e) {
  std::fprintf(stderr, "%s: %s\n", argv[0], e.what());
  return 1;
}

}  // namespace bench
