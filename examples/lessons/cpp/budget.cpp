// Lesson: the budget compares the connections that all instances of a service may open with what the servers allow, before
// the servers refuse any. Who opens the pools from a configuration asks for it in one call.
//
//     REDIS_URL=redis://localhost:6379 PGHOST=localhost PGUSER=postgres build/dev/examples/lessons/lesson_cpp_budget
#include <corbel/pools.hpp>

#include <boost/asio/use_future.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>

using boost::asio::use_future;

// A service has its document from the environment: corbel::load_gateway(corbel::process_environment()).
static corbel::gateway_settings settings() {
  const char *url = std::getenv("REDIS_URL");
  auto read = corbel::read_gateway(R"({"redis_url": ")" + std::string(url ? url : "redis://localhost:6379") +
                                   R"(", "pools": {"redis_max_connections": 20, "pg_pool_max_size": 8}})");
  if (!read) throw corbel::failure(read.why());
  return read.settings;
}

static bool fits(const corbel::pools &pools, int instances) {
  const auto budget = pools.async_budget({.instances = instances}, use_future).get().value();
  std::printf("%d instances: %s\n%s", instances, budget.is_over() ? "over" : "fits", corbel::budget_table(budget).c_str());
  return !budget.is_over();
}

int main() {
  std::puts("lesson: budget");
  corbel::runtime rt({.name = "budget"});
  const corbel::pools pools(rt, settings());
  const auto pg = pools.postgres();  // who never asks for it is not told about it
  const bool few = fits(pools, 3), many = fits(pools, 30);
  return few && !many ? 0 : 1;
}
