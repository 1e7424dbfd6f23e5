// Lesson: a message that cannot be worked is tried again, later each time, and goes to the dead list after its last attempt.
// There somebody looks at it, mends what was wrong, and puts it back.
//
//     REDIS_URL=redis://localhost:6379 build/dev/examples/lessons/lesson_cpp_retries_and_dead
#include <corbel/queue.hpp>
#include <corbel/queue_inspector.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstdio>
#include <cstdlib>
#include <exception>

namespace asio = boost::asio;
using namespace std::chrono_literals;

static asio::awaitable<void> work_one(corbel::consumer &out, bool mended) {
  auto m = (co_await out.async_take(asio::use_awaitable)).value();
  std::printf("%s, attempt %u: %s\n", std::string(m.body()).c_str(), m.attempt(), mended ? "done" : "failed");
  corbel::settle_request how(mended ? corbel::settle::done : corbel::settle::retry);  // settle::bury gives up at once
  if (!mended) how.reason = "the printer is on fire";
  (co_await m.async_settle(std::move(how), {}, asio::use_awaitable)).value();
}

static asio::awaitable<void> lesson(corbel::runtime &rt, const char *url) {
  corbel::redis_pool redis(rt, {.url = url});
  corbel::queue_options queue{.name = "lesson:retries_and_dead", .max_attempts = 2, .backoff = {50ms, 60s}};
  corbel::producer in(redis, queue);
  corbel::consumer out(redis, queue);
  corbel::queue_inspector look(redis, queue);

  corbel::put_item item{.body = "order 7"};
  (co_await in.async_put(std::move(item), asio::use_awaitable)).value();
  for (int attempt = 1; attempt <= 2; attempt++) co_await work_one(out, false);

  auto page = (co_await look.async_dead({}, 10, {}, asio::use_awaitable)).value();
  for (const auto &dead : page.messages) {
    std::printf("dead: %s after %u attempts:", dead.body.c_str(), dead.attempts);
    for (const auto &attempt : dead.history) std::printf(" %s;", attempt.reason.c_str());
    std::vector<std::uint64_t> numbers{dead.number};
    auto count = co_await look.async_requeue(std::move(numbers), {}, asio::use_awaitable);
    std::printf("\nput back: %zu\n", count.value());
  }
  co_await work_one(out, true);
  (co_await rt.async_shutdown(5s, asio::use_awaitable)).value();
}

int main() {
  std::puts("lesson: retries_and_dead");
  const char *url = std::getenv("REDIS_URL");
  asio::io_context loop(1);
  corbel::runtime rt(loop, {.name = "retries_and_dead"});
  asio::co_spawn(loop, lesson(rt, url ? url : "redis://localhost:6379"), [](std::exception_ptr e) {
    if (e) std::rethrow_exception(e);
  });
  loop.run();
}
