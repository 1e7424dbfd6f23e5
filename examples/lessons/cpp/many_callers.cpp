// Lesson: a thousand calls at once need one connection. They share a pipeline: what is asked while a write is under way
// leaves together in the next one, and each call still completes by itself; here through futures.
//
//     REDIS_URL=redis://localhost:6379 build/dev/examples/lessons/lesson_cpp_many_callers
#include <corbel/redis_pool.hpp>

#include <boost/asio/use_future.hpp>

#include <cstdio>
#include <cstdlib>
#include <future>
#include <string>
#include <vector>

int main() {
  std::puts("lesson: many_callers");
  const char *url = std::getenv("REDIS_URL");
  corbel::runtime rt({.name = "many_callers"});
  corbel::redis_pool redis(rt, {.url = url ? url : "redis://localhost:6379"});

  std::vector<std::future<corbel::result<corbel::redis_reply>>> calls;
  calls.reserve(1000);
  for (int caller = 0; caller < 1000; caller++)
    calls.push_back(redis.async_send(corbel::redis_command("ECHO", caller), boost::asio::use_future));

  int right = 0;
  for (int caller = 0; caller < 1000; caller++) {
    auto answer = calls[static_cast<std::size_t>(caller)].get();
    right += answer.value()->text() == std::to_string(caller);  // value() throws corbel::failure when there is none
  }
  std::printf("1000 callers, %d right answers, over %u connection(s)\n", right, redis.stats().open);
  return right == 1000 ? 0 : 1;
}
