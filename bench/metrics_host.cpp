// A host with many series at /metrics; says its port, and ends with its standard input.
//
//     bench_metrics_host --series 2000

#include "measure.h"

#include <corbel/http.hpp>
#include <corbel/metrics.hpp>

#include <string>
#include <vector>

int main(int argc, char **argv) {
  const int series = static_cast<int>(measure_number(argc, argv, "series", 2000));
  corbel::runtime rt;
  std::vector<corbel::counter> all;
  for (int i = 0; i < series; ++i) {
    const auto name = "bench_" + std::to_string(i / 20) + "_total";
    const auto route = "/api/route/" + std::to_string(i % 20);
    all.emplace_back(
        rt, corbel::metric_options{.name = name, .help = "Requests.", .labels = {{"route", route}, {"code", "200"}}});
    all.back().add(i);
  }
  const corbel::http_service http(rt);
  std::printf("%d\n", http.port());
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
}
