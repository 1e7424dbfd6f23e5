// Lesson: a subscription wants names; the library keeps them on one connection, over reconnects too. A change completes
// when the server has confirmed it, so what is published afterwards is not missed. All of it in a coroutine on an
// io_context of our own.
//
//     REDIS_URL=redis://localhost:6379 build/dev/examples/lessons/lesson_cpp_subscribe
#include <corbel/redis_subscription.hpp>

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
  {
    corbel::redis_subscription sub(redis);
    (co_await sub.async_subscribe("lesson:news", asio::use_awaitable)).value();
    for (int i = 1; i <= 3; i++)
      (co_await redis.async_send(corbel::redis_command("PUBLISH", "lesson:news", "news " + std::to_string(i)),
                                 asio::use_awaitable))
          .value();

    for (int heard = 0; heard < 3;) {
      auto batch = co_await sub.async_receive(asio::use_awaitable);
      for (const auto &notice : batch.value()) {
        if (notice.type == corbel::redis_notice::kind::message) {
          std::printf("%s in epoch %d: %s\n", std::string(notice.channel()).c_str(), static_cast<int>(notice.epoch),
                      std::string(notice.payload()).c_str());
          heard++;
        } else {  // after a loss: a gap, then subscribed again in a new epoch
          std::puts(notice.type == corbel::redis_notice::kind::gap ? "gap" : "subscribed again");
        }
      }
    }
  }  // leaves all its names
  (co_await rt.async_shutdown(5s, asio::use_awaitable)).value();
}

int main() {
  std::puts("lesson: subscribe");
  const char *url = std::getenv("REDIS_URL");
  asio::io_context loop(1);
  corbel::runtime rt(loop, {.name = "subscribe"});
  asio::co_spawn(loop, lesson(rt, url ? url : "redis://localhost:6379"), [](std::exception_ptr e) {
    if (e) std::rethrow_exception(e);
  });
  loop.run();
}
