// Lesson: metrics of your own beside what the library counts (pools, health, logs, lag), in the text that Prometheus
// scrapes. An HTTP server shows the same at /metrics. A series is made once and kept; updating it takes no lock.
//
//     REDIS_URL=redis://localhost:6379 build/dev/examples/lessons/lesson_cpp_metrics
#include <corbel/metrics.hpp>
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

  corbel::counter mails(rt,
                        {.name = "mails_sent_total", .help = "Mails taken by a server.", .labels = {{"list", "weekly"}}});
  corbel::histogram took(rt, {.name = "mail_seconds", .help = "What a mail took."});
  for (int i = 0; i < 3; ++i) {  // a PING stands in for a mail
    const auto began = std::chrono::steady_clock::now();
    redis.async_send(corbel::redis_command("PING"), boost::asio::use_future).get().value();
    mails.add();
    took.record(std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
  }

  std::istringstream text(rt.metrics_text());
  for (std::string line; std::getline(text, line);)
    if (line.starts_with("mails_sent") || line.starts_with("mail_seconds_count") || line.starts_with("corbel_ready"))
      std::puts(line.c_str());
  rt.shutdown(std::chrono::seconds(5)).value();
}
