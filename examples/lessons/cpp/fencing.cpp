// Lesson: a worker that was taken for dead and wakes up later must do no harm. Every claim of a message has a token that is
// greater than all before it; what the work changes remembers the greatest it has seen and refuses a smaller one.
//
//     REDIS_URL=redis://localhost:6379 build/dev/examples/lessons/lesson_cpp_fencing
#include <corbel/queue.hpp>
#include <corbel/redis_script.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstdio>
#include <cstdlib>
#include <exception>

namespace asio = boost::asio;
using namespace std::chrono_literals;

/// A store that takes part: any database can do the same in its own words.
static const corbel::redis_script save_script(R"(
if tonumber(ARGV[2]) < tonumber(redis.call('HGET', KEYS[1], 'token') or 0) then return 'refused' end
redis.call('HSET', KEYS[1], 'value', ARGV[1], 'token', ARGV[2])
return 'saved')",
                                              1);

static asio::awaitable<void> save(corbel::redis_pool &redis, const char *who, const corbel::message &m) {
  auto command = save_script.command("lesson:fencing:bill", who, std::to_string(m.token()));
  auto said = co_await async_run(redis, save_script, std::move(command), {}, asio::use_awaitable);
  std::printf("%s: %s\n", who, std::string(said->root().text()).c_str());
}

static asio::awaitable<void> lesson(corbel::runtime &rt, const char *url) {
  corbel::redis_pool redis(rt, {.url = url});
  corbel::producer in(redis, {.name = "lesson:fencing"});
  corbel::put_item item{.body = "pay the bill"};
  (co_await in.async_put(std::move(item), asio::use_awaitable)).value();

  corbel::consumer first(redis, {.name = "lesson:fencing"});
  auto slow = (co_await first.async_take(asio::use_awaitable)).value();
  auto left = co_await first.async_drain({.timeout = 50ms}, asio::use_awaitable);  // its work does not end: handed back
  std::printf("drained: %zu handed back, lost to the first worker: %d\n", left.value(), slow.lost());

  corbel::consumer second(redis, {.name = "lesson:fencing"});
  auto m = (co_await second.async_take(asio::use_awaitable)).value();
  std::printf("the second worker's token is greater: %d\n", m.token() > slow.token());
  co_await save(redis, "the second worker", m);
  (co_await m.async_settle(corbel::settle::done, {}, asio::use_awaitable)).value();
  co_await save(redis, "the first worker, late", slow);
  auto counts = co_await slow.async_settle(corbel::settle::done, {}, asio::use_awaitable);
  std::printf("its settlement counts: %d\n", counts.value());
  (co_await rt.async_shutdown(5s, asio::use_awaitable)).value();
}

int main() {
  std::puts("lesson: fencing");
  const char *url = std::getenv("REDIS_URL");
  asio::io_context loop(1);
  corbel::runtime rt(loop, {.name = "fencing"});
  asio::co_spawn(loop, lesson(rt, url ? url : "redis://localhost:6379"), [](std::exception_ptr e) {
    if (e) std::rethrow_exception(e);
  });
  loop.run();
}
