// Lesson: what the library counts, in the text that Prometheus scrapes: pools, health, logs, lag. An HTTP server shows the
// same at /metrics.
//
//     REDIS_URL=redis://localhost:6379 build/dev/examples/lessons/lesson_cpp_metrics
#include <corbel/redis_pool.hpp>

#include <boost/asio/use_future.hpp>

#include <cstdio>
#include <cstdlib>
#include <sstream>

int main() {
  std::puts("lesson: metrics");
  const char *url = std::getenv("REDIS_URL");
  corbel::runtime rt({.name = "metrics"});
  corbel::redis_pool redis(rt, {.url = url ? url : "redis://localhost:6379"});
  redis.async_send(corbel::redis_command("PING"), boost::asio::use_future).get().value();

  std::istringstream text(rt.metrics_text());
  for (std::string line; std::getline(text, line);)
    if (line.starts_with("corbel_ready") || line.starts_with("corbel_health_state")) std::puts(line.c_str());
  rt.shutdown(std::chrono::seconds(5)).value();
}
