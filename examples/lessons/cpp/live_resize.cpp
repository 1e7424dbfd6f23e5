// Lesson: a changed document resizes the pools while callers go on. Growth serves who waits, at once; shrinking takes no
// connection from anybody, it closes them as they come back.
//
//     REDIS_URL=redis://localhost:6379 build/dev/examples/lessons/lesson_cpp_live_resize
#include <corbel/pools.hpp>

#include <boost/asio/use_future.hpp>

#include <cstdio>
#include <cstdlib>
#include <future>
#include <string>
#include <vector>

using boost::asio::use_future;

static corbel::gateway_settings settings(int max) {
  const char *url = std::getenv("REDIS_URL");
  auto read = corbel::read_gateway(R"({"redis_url": ")" + std::string(url ? url : "redis://localhost:6379") +
                                       R"(", "pools": {"redis_max_connections": )" + std::to_string(max) + "}}",
                                   {.component = "proc"});
  if (!read) throw corbel::failure(read.why());
  return read.settings;
}

static void show(const char *when, const corbel::redis_pool &redis, std::size_t callers, const char *what) {
  std::printf("%s: max %u, %zu of 6 callers %s\n", when, redis.stats().max, callers, what);
}

int main() {
  std::puts("lesson: live_resize");
  corbel::runtime rt({.name = "live_resize"});
  corbel::pools pools(rt, settings(3));
  const auto redis = pools.redis();

  // Six callers want a connection of their own. Of three one stays for commands, so that four callers wait.
  std::vector<std::future<corbel::result<corbel::redis_lease>>> callers;
  callers.reserve(6);
  for (int i = 0; i < 6; ++i) callers.push_back(redis.async_lease(use_future));
  std::vector<corbel::redis_lease> leases;
  auto serve = [&](std::size_t so_many) {  // in the order in which they came
    while (leases.size() < so_many) leases.push_back(std::move(callers[leases.size()].get().value()));
  };
  serve(2);
  show("before", redis, leases.size(), "have a connection");

  // A document usually changes for all services at once: pools.follow() applies what is published.
  pools.apply(settings(7)).value();
  serve(6);
  show("after", redis, leases.size(), "have a connection");

  pools.apply(settings(3)).value();
  std::size_t answered = 0;
  for (auto &lease : leases)
    answered += lease.async_send(corbel::redis_command("PING"), use_future).get().has_value() ? 1 : 0;
  show("shrunk", redis, answered, "were answered");
  return answered == 6 ? 0 : 1;
}
