// Lesson: a message that is not to be worked before its time: so long after the put, or at a time of day by the server's
// clock. It may be up to a second late, for idle consumers look no more often.
//
//     REDIS_URL=redis://localhost:6379 build/dev/examples/lessons/lesson_cpp_delayed
#include <corbel/queue.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstdio>
#include <cstdlib>
#include <exception>

namespace asio = boost::asio;
using namespace std::chrono_literals;

static asio::awaitable<void> lesson(corbel::runtime &rt, const char *url) {
  corbel::redis_pool redis(rt, {.url = url});
  corbel::producer in(redis, {.name = "lesson:delayed"});
  corbel::consumer out(redis, {.name = "lesson:delayed"});

  const auto start = std::chrono::system_clock::now();
  std::vector<corbel::put_item> items{{.body = "in half a second", .delay = 500ms},
                                      {.body = "at a quarter", .not_before = start + 250ms},
                                      {.body = "at once"}};
  (co_await in.async_put(std::move(items), {}, asio::use_awaitable)).value();

  for (auto due = 0ms; due <= 500ms; due += 250ms) {
    auto m = (co_await out.async_take(asio::use_awaitable)).value();
    const bool early = std::chrono::system_clock::now() < start + due - 1ms;  // the server counts whole milliseconds
    std::printf("%s: %s\n", std::string(m.body()).c_str(), early ? "too early" : "not too early");
    (co_await m.async_settle(corbel::settle::done, {}, asio::use_awaitable)).value();
  }
  (co_await rt.async_shutdown(5s, asio::use_awaitable)).value();
}

int main() {
  std::puts("lesson: delayed");
  const char *url = std::getenv("REDIS_URL");
  asio::io_context loop(1);
  corbel::runtime rt(loop, {.name = "delayed"});
  asio::co_spawn(loop, lesson(rt, url ? url : "redis://localhost:6379"), [](std::exception_ptr e) {
    if (e) std::rethrow_exception(e);
  });
  loop.run();
}
