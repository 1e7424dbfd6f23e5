// What an update of a host's metric costs, on one thread.
//
//     bench_metric_update --kind counter|gauge|histogram --seconds 1.5

#include "measure.h"

#include <corbel/metrics.hpp>

#include <cstring>

namespace {

template <class Update>
int run(double seconds, Update update) {
  constexpr int round = 10'000;
  auto watch = stop_watch_begin(seconds);
  do
    for (int i = 0; i < round; ++i) update(i);
  while (stop_watch_goes_on(&watch, round));
  return 0;
}

}  // namespace

int main(int argc, char **argv) {
  const double seconds = measure_number(argc, argv, "seconds", 1.5);
  const char *kind = measure_option(argc, argv, "kind", "counter");
  corbel::runtime rt;
  if (std::strcmp(kind, "counter") == 0)
    return run(seconds, [c = corbel::counter(rt, {.name = "bench_total"})](int) { c.add(); });
  if (std::strcmp(kind, "gauge") == 0) return run(seconds, [g = corbel::gauge(rt, {.name = "bench"})](int i) { g.set(i); });
  return run(seconds, [h = corbel::histogram(rt, {.name = "bench_seconds"})](int i) { h.record(1e-5 * i); });
}
