// Lesson: open a runtime and a pool, send one command from a thread that may block, look at the result.
//
//     REDIS_URL=redis://localhost:6379 build/dev/examples/lessons/lesson_cpp_ping
#include <corbel/redis_pool.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>

int main() {
  std::puts("lesson: ping");
  const char *url = std::getenv("REDIS_URL");
  corbel::runtime rt({.name = "ping"});                                         // one I/O thread of its own
  corbel::redis_pool redis(rt, {.url = url ? url : "redis://localhost:6379"});  // begins to connect, does not wait

  auto answer = redis.send(corbel::redis_command("PING"));
  if (!answer) {  // an error is a value: a status, one line of text, whether it may have been applied
    std::fprintf(stderr, "%s: %s\n", corbel::status_name(answer.error().code()), answer.error().message().c_str());
    return 1;
  }
  std::printf("answered: %s\n", std::string((*answer)->text()).c_str());
}
