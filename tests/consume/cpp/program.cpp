// Asks the server at argv[1] for a PONG through the installed C++ library, in a coroutine on an io_context of its own, and
// uses Boost.Asio by itself beside it: a timer, and a signal, which has one static object for the whole program.
#include <corbel/health.hpp>
#include <corbel/queue.hpp>
#include <corbel/redis_monitor.hpp>
#include <corbel/redis_script.hpp>
#include <corbel/redis_subscription.hpp>

#include <boost/asio.hpp>

#include <csignal>
#include <iostream>

namespace asio = boost::asio;

static asio::awaitable<void> ask(corbel::runtime &rt, std::string url) {
  corbel::redis_pool redis(rt, {.url = url});
  auto reply = co_await redis.async_send(corbel::redis_command("PING"), asio::use_awaitable);
  std::cout << reply.value()->text() << "\n";
  asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::milliseconds(1));
  co_await timer.async_wait(asio::use_awaitable);
  asio::signal_set signals(co_await asio::this_coro::executor, SIGUSR1);
  std::raise(SIGUSR1);
  co_await signals.async_wait(asio::use_awaitable);
  (co_await rt.async_shutdown(std::chrono::seconds(5), asio::use_awaitable)).value();
}

int main(int argc, char **argv) {
  asio::io_context loop(1);
  corbel::runtime rt(loop, {.name = "consume"});
  asio::co_spawn(loop, ask(rt, argc > 1 ? argv[1] : ""), [](std::exception_ptr e) {
    if (e) std::rethrow_exception(e);
  });
  loop.run();
}
