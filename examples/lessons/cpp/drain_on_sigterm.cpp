// Lesson: end without losing work. On SIGTERM claim nothing more, finish what is out, then exit 0. Here the program sends
// the signal to itself after its second message, as a service manager would.
//
//     REDIS_URL=redis://localhost:6379 build/dev/examples/lessons/lesson_cpp_drain_on_sigterm
#include <corbel/queue.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>

namespace asio = boost::asio;
using namespace std::chrono_literals;

static int worked = 0;

/// Works until the queue is drained: then a take ends with status::closed.
static asio::awaitable<void> work(corbel::consumer &out) {
  for (;;) {
    auto taken = co_await out.async_take(asio::use_awaitable);
    if (!taken) co_return;
    if (++worked == 2) std::raise(SIGTERM);
    (co_await taken->async_settle(corbel::settle::done, {}, asio::use_awaitable)).value();
  }
}

static asio::awaitable<void> lesson(asio::io_context &loop, corbel::runtime &rt, const char *url) {
  asio::signal_set term(loop, SIGTERM);
  corbel::redis_pool redis(rt, {.url = url});
  corbel::producer in(redis, {.name = "lesson:drain_on_sigterm"});
  std::vector<corbel::put_item> items(5, {.body = "work"});
  (co_await in.async_put(std::move(items), {}, asio::use_awaitable)).value();
  corbel::consumer out(redis, {.name = "lesson:drain_on_sigterm"});
  asio::co_spawn(loop, work(out), asio::detached);

  co_await term.async_wait(asio::use_awaitable);
  auto left = co_await out.async_drain({.timeout = 10s}, asio::use_awaitable);
  std::printf("drained: %d worked, %zu left unsettled\n", worked, left.value());
  (co_await rt.async_shutdown(5s, asio::use_awaitable)).value();
}

int main() {
  std::puts("lesson: drain_on_sigterm");
  const char *url = std::getenv("REDIS_URL");
  asio::io_context loop(1);
  corbel::runtime rt(loop, {.name = "drain_on_sigterm"});
  asio::co_spawn(loop, lesson(loop, rt, url ? url : "redis://localhost:6379"), [](std::exception_ptr e) {
    if (e) std::rethrow_exception(e);
  });
  loop.run();
}
