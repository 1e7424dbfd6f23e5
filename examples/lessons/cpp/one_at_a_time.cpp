// Lesson: messages of one group, here a conversation, run one at a time and in order, however many workers there are. Other
// groups go on meanwhile.
//
//     REDIS_URL=redis://localhost:6379 build/dev/examples/lessons/lesson_cpp_one_at_a_time
#include <corbel/queue.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <map>
#include <set>

namespace asio = boost::asio;
using namespace std::chrono_literals;

static std::set<std::string> running;
static std::map<std::string, std::string> heard;
static std::size_t most = 0;
static int worked = 0;

/// One of six workers; all on one thread.
static asio::awaitable<void> work(corbel::consumer &out, asio::steady_timer &all_done) {
  while (auto taken = co_await out.async_take(asio::use_awaitable)) {
    const std::string talk(taken->group());
    if (!running.insert(talk).second) std::puts("two of one conversation at once");
    most = std::max(most, running.size());
    asio::steady_timer pause(co_await asio::this_coro::executor, 20ms);
    co_await pause.async_wait(asio::use_awaitable);
    running.erase(talk);
    heard[talk] += std::string(taken->body()) + "; ";
    (co_await taken->async_settle(corbel::settle::done, {}, asio::use_awaitable)).value();
    if (++worked == 6) all_done.cancel();
  }
}

static asio::awaitable<void> lesson(corbel::runtime &rt, const char *url) {
  corbel::redis_pool redis(rt, {.url = url});
  corbel::producer in(redis, {.name = "lesson:one_at_a_time"});
  std::vector<corbel::put_item> items;
  for (const char *turn : {"turn 1", "turn 2", "turn 3"})
    for (const char *talk : {"talk 1", "talk 2"}) items.push_back({.body = turn, .group = talk});
  (co_await in.async_put(std::move(items), {}, asio::use_awaitable)).value();

  corbel::consumer out(redis, {.name = "lesson:one_at_a_time", .concurrency = 6});
  asio::steady_timer all_done(co_await asio::this_coro::executor, 30s);
  for (int i = 0; i < 6; i++) asio::co_spawn(all_done.get_executor(), work(out, all_done), asio::detached);
  try {
    co_await all_done.async_wait(asio::use_awaitable);
  } catch (const boost::system::system_error &) {
    // cancelled: all were worked
  }
  for (const auto &[talk, turns] : heard) std::printf("%s: %s\n", talk.c_str(), turns.c_str());
  std::printf("conversations at once: %zu\n", most);
  (co_await rt.async_shutdown(5s, asio::use_awaitable)).value();
}

int main() {
  std::puts("lesson: one_at_a_time");
  const char *url = std::getenv("REDIS_URL");
  asio::io_context loop(1);
  corbel::runtime rt(loop, {.name = "one_at_a_time"});
  asio::co_spawn(loop, lesson(rt, url ? url : "redis://localhost:6379"), [](std::exception_ptr e) {
    if (e) std::rethrow_exception(e);
  });
  loop.run();
}
