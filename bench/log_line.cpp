// What a log line costs who writes it: JSON on standard output (here nobody's), with the fields of a request. In bursts that
// the log's buffer holds, each awaited, so that no line is dropped.
//
//     bench_log_line --seconds 1.5

#include "measure.h"

#include <corbel/runtime.hpp>

#include <atomic>
#include <stdexcept>
#include <thread>
#include <unistd.h>

int main(int argc, char **argv) try {
  constexpr int burst = 100;
  std::FILE *const result = ::fdopen(::dup(STDOUT_FILENO), "w");
  if (!result || !std::freopen("/dev/null", "w", stdout)) return 1;
  const double seconds = measure_number(argc, argv, "seconds", 1.5), end = measure_now() + MEASURE_WARM_UP + seconds;
  std::atomic<long> seen{0};
  corbel::runtime rt(
      {.log = [&seen](const corbel::log_line &) { ++seen; }, .log_stdout = true, .form = corbel::log_form::json});
  const corbel::log_context context{.request_id = "0af7651916cd43dd8448eb211c80319c",
                                    .tenant = "home",
                                    .project = "demo",
                                    .source = "http",
                                    .duration = std::chrono::microseconds(1234)};
  double spent = 0;
  long lines = 0;
  for (bool warm = false; measure_now() < end;) {
    if (!warm && measure_now() > end - seconds) warm = true, spent = 0, lines = 0;
    const long before = seen;
    const double began = measure_now();
    for (int i = 0; i < burst; ++i)
      rt.log(
          {.level = corbel::log_level::info, .part = "bench", .text = "a request was answered", .fields = context.fields()});
    spent += measure_now() - began;
    lines += burst;
    for (const double give_up = measure_now() + 10; seen < before + burst; std::this_thread::yield())
      if (measure_now() > give_up) throw std::runtime_error("lines were dropped");
  }
  std::fprintf(result, "{\"us_per_line\": %.4f, \"lines\": %ld}\n", 1e6 * spent / static_cast<double>(lines), lines);
  std::fclose(result);
  return rt.shutdown(std::chrono::seconds(5)) ? 0 : 1;
} catch (const std::exception &e) {
  std::fprintf(stderr, "bench_log_line: %s\n", e.what());
  return 1;
}
