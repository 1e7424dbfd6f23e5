// Lesson: how much a queue takes, and how many of its messages are worked at once, changed while it runs: as where a
// configuration says something else now. What is in hand comes to its end.
//
//     REDIS_URL=redis://localhost:6379 build/dev/examples/lessons/lesson_cpp_change_limits
#include <corbel/queue.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstdio>
#include <cstdlib>
#include <exception>

namespace asio = boost::asio;
using namespace std::chrono_literals;

static asio::awaitable<void> put(corbel::producer &in, std::string body) {
  corbel::put_item item{.body = body};
  const auto put = co_await in.async_put(std::move(item), asio::use_awaitable);
  std::printf("%s: %s\n", body.c_str(), put ? "taken" : put.error().native().c_str());
}

static asio::awaitable<void> lesson(corbel::runtime &rt, const char *url) {
  corbel::redis_pool redis(rt, {.url = url});
  corbel::queue_admission rules{.capacity = 2, .hard = 1};
  corbel::producer in(redis, {.name = "lesson:change_limits", .admission = rules});
  co_await put(in, "a");
  co_await put(in, "b");
  co_await put(in, "c");  // hard_limit_exceeded
  rules.capacity = 3;
  in.set_admission(rules);
  co_await put(in, "d");

  corbel::consumer out(redis, {.name = "lesson:change_limits"});
  auto a = (co_await out.async_take(asio::use_awaitable)).value();  // the concurrency is 1: no other comes
  out.set_concurrency(3);
  auto b = (co_await out.async_take(asio::use_awaitable)).value();
  auto d = (co_await out.async_take(asio::use_awaitable)).value();
  std::puts("held at once: 3");
  for (auto *m : {&a, &b, &d}) (co_await m->async_settle(corbel::settle::done, {}, asio::use_awaitable)).value();
  (co_await rt.async_shutdown(5s, asio::use_awaitable)).value();
}

int main() {
  std::puts("lesson: change_limits");
  const char *url = std::getenv("REDIS_URL");
  asio::io_context loop(1);
  corbel::runtime rt(loop, {.name = "change_limits"});
  asio::co_spawn(loop, lesson(rt, url ? url : "redis://localhost:6379"), [](std::exception_ptr e) {
    if (e) std::rethrow_exception(e);
  });
  loop.run();
}
