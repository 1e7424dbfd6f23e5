// Lesson: put messages on a queue and work them. A message is leased while it is worked, and settled once: done, to be tried
// again, dead or handed back. If this process died in between, it would come back to another one when its lease ends.
//
//     REDIS_URL=redis://localhost:6379 build/dev/examples/lessons/lesson_cpp_put_and_work
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
  corbel::producer in(redis, {.name = "lesson:put_and_work"});
  corbel::consumer out(redis, {.name = "lesson:put_and_work"});

  std::vector<corbel::put_item> items{{.body = "first"}, {.body = "second"}, {.body = "third"}};
  auto receipt = co_await in.async_put(std::move(items), {}, asio::use_awaitable);  // all or none, in one round trip
  std::printf("put %zu\n", receipt.value().ids.size());

  for (int worked = 0; worked < 4; worked++) {  // the first one is worked twice
    auto taken = co_await out.async_take(asio::use_awaitable);
    corbel::message &m = taken.value();
    bool again = m.attempt() == 1 && m.body() == "first";
    std::printf("%s, attempt %u: %s\n", std::string(m.body()).c_str(), m.attempt(), again ? "retry" : "done");
    corbel::settle_request how(again ? corbel::settle::retry : corbel::settle::done);
    if (again) how.delay = 0ms;  // at once; without it, after the queue's back-off
    auto kept = co_await m.async_settle(std::move(how), {}, asio::use_awaitable);
    if (!kept.value()) std::puts("the lease had been lost: another worker has it");
  }
  (co_await rt.async_shutdown(5s, asio::use_awaitable)).value();
}

int main() {
  std::puts("lesson: put_and_work");
  const char *url = std::getenv("REDIS_URL");
  asio::io_context loop(1);
  corbel::runtime rt(loop, {.name = "put_and_work"});
  asio::co_spawn(loop, lesson(rt, url ? url : "redis://localhost:6379"), [](std::exception_ptr e) {
    if (e) std::rethrow_exception(e);
  });
  loop.run();
}
