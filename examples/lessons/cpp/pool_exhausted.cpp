// Lesson: a full pool makes callers wait in order, up to their deadline, and then says busy with its counts. That is no
// outage: commands on the shared pipeline go on, because one connection always stays for them.
//
//     REDIS_URL=redis://localhost:6379 build/dev/examples/lessons/lesson_cpp_pool_exhausted
#include <corbel/redis_pool.hpp>

#include <boost/asio/use_future.hpp>

#include <cstdio>
#include <cstdlib>

using namespace std::chrono_literals;
using boost::asio::use_future;

int main() {
  std::puts("lesson: pool_exhausted");
  const char *url = std::getenv("REDIS_URL");
  corbel::runtime rt({.name = "pool_exhausted"});
  corbel::redis_pool redis(rt, {.url = url ? url : "redis://localhost:6379", .max_size = 3});

  // Three connections, one stays for commands: two can be leased. MULTI, WATCH or BLPOP need a lease.
  auto first = redis.async_lease(use_future).get();
  auto second = redis.async_lease(use_future).get();
  auto third = redis.async_lease({.timeout = 100ms}, use_future).get();
  std::printf("third lease: %s: %s\n", corbel::status_name(third.error().code()), third.error().message().c_str());
  bool busy = third.error().is(corbel::status::busy);

  auto meanwhile = redis.send(corbel::redis_command("PING"));
  std::printf("a command meanwhile: %s\n", corbel::status_name(meanwhile.error().code()));

  auto waiting = redis.async_lease(use_future);
  first.value().release();  // goes to whoever waits longest
  auto served = waiting.get();
  std::printf("third lease after a release: %s\n", corbel::status_name(served.error().code()));
  return busy && meanwhile && served && second ? 0 : 1;
}
