#include "metrics/host_metrics.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <thread>
#include <vector>

using namespace corbel;
using namespace corbel::detail;

namespace {

std::string text_of(const host_metrics &metrics) {
  metrics_writer to;
  metrics.write(to);
  return to.text();
}

std::string refusal(host_metrics &metrics, metric_kind kind, metric_options o) {
  auto made = metrics.series(kind, std::move(o));
  return made ? "" : made.error().message();
}

constexpr auto counter_kind = metric_kind::counter;

}  // namespace

TEST_CASE("series of one name, byte for byte") {
  host_metrics metrics;
  auto weekly =
      metrics.series(counter_kind, {.name = "mails_total", .help = "Mails.", .labels = {{"list", "weekly"}}}).value();
  auto daily = metrics.series(counter_kind, {.name = "mails_total", .labels = {{"list", "daily\n"}}}).value();
  weekly->add(2);
  weekly->add(0.5);
  daily->add(1);
  metrics.series(metric_kind::gauge, {.name = "free_bytes"}).value()->set(-7);
  auto sizes = metrics.series(metric_kind::histogram, {.name = "mail_bytes", .bounds = {10, 100}}).value();
  for (double v : {1.0, 10.0, 11.0, 1000.0, std::numeric_limits<double>::quiet_NaN()}) sizes->record(v);
  CHECK(text_of(metrics) == R"(# TYPE free_bytes gauge
free_bytes -7
# TYPE mail_bytes histogram
mail_bytes_count 4
mail_bytes_sum 1022
mail_bytes_bucket{le="10"} 2
mail_bytes_bucket{le="100"} 3
mail_bytes_bucket{le="+Inf"} 4
# HELP mails_total Mails.
# TYPE mails_total counter
mails_total{list="daily "} 1
mails_total{list="weekly"} 2.5
)");
}

TEST_CASE("the same name and labels are one series, in any order") {
  host_metrics metrics;
  auto one = metrics.series(counter_kind, {.name = "x_total", .labels = {{"a", "1"}, {"b", "2"}}}).value();
  CHECK(metrics.series(counter_kind, {.name = "x_total", .labels = {{"b", "2"}, {"a", "1"}}}).value() == one);
  CHECK(metrics.series(counter_kind, {.name = "x_total", .labels = {{"b", "3"}, {"a", "1"}}}).value() != one);
  auto h = metrics.series(metric_kind::histogram, {.name = "h", .bounds = {1, 2}}).value();
  CHECK(metrics.series(metric_kind::histogram, {.name = "h"}).value() == h);
}

TEST_CASE("labels without a bound end in one series") {
  host_metrics metrics;
  for (int i = 0; i < 10; ++i)
    metrics.series(counter_kind, {.name = "x_total", .labels = {{"user", std::to_string(i)}}, .max_series = 3})
        .value()
        ->add(1);
  const auto text = text_of(metrics);
  CHECK(text.find("x_total{user=\"2\"} 1\n") != std::string::npos);
  CHECK(text.find("x_total{user=\"3\"}") == std::string::npos);
  CHECK(text.find("x_total{user=\"other\"} 7\n") != std::string::npos);
  CHECK(text.find("corbel_metrics_other_total{metric=\"x_total\"} 7\n") != std::string::npos);
  metrics.series(counter_kind, {.name = "x_total", .labels = {{"user", "1"}}}).value()->add(1);
  CHECK(text_of(metrics).find("x_total{user=\"1\"} 2\n") != std::string::npos);
  metrics.series(counter_kind, {.name = "y_total", .labels = {{"long", std::string(10'000, 'a')}}}).value()->add(1);
  CHECK(text_of(metrics).find("long=\"" + std::string(256, 'a') + "\"}") != std::string::npos);
}

TEST_CASE("what is refused, and why") {
  host_metrics metrics;
  CHECK(refusal(metrics, counter_kind, {.name = "9lives"}) ==
        "'9lives' is no name of a metric: give letters, digits, '_' and ':', no digit first");
  CHECK(refusal(metrics, counter_kind, {.name = ""}).find("no name") != std::string::npos);
  CHECK(refusal(metrics, counter_kind, {.name = "corbel_x"}).find("the library's") != std::string::npos);
  for (auto label : {"le", "__x", "a-b", ""})
    CHECK(refusal(metrics, counter_kind, {.name = "x", .labels = {{label, "v"}}}).find("no name of a label") !=
          std::string::npos);
  CHECK(refusal(metrics, counter_kind, {.name = "x", .labels = {{"a", "1"}, {"a", "2"}}}).find("twice") !=
        std::string::npos);
  CHECK(refusal(metrics, counter_kind, {.name = "x", .labels = std::vector<std::pair<std::string, std::string>>(17)}) != "");
  CHECK(refusal(metrics, counter_kind, {.name = "x", .max_series = 0}).find("max_series") != std::string::npos);
  CHECK(refusal(metrics, counter_kind, {.name = "x", .bounds = {1}}).find("no histogram") != std::string::npos);
  for (auto bounds :
       {std::vector<double>{1, 1}, {2, 1}, {1, std::numeric_limits<double>::infinity()}, std::vector<double>(101)})
    CHECK(refusal(metrics, metric_kind::histogram, {.name = "x", .bounds = bounds}).find("ascending") != std::string::npos);
  CHECK(text_of(metrics) == "");

  REQUIRE(metrics.series(counter_kind, {.name = "x", .labels = {{"a", "1"}}}));
  CHECK(refusal(metrics, metric_kind::gauge, {.name = "x", .labels = {{"a", "1"}}}) ==
        "the metric 'x' is a counter already, no gauge");
  CHECK(refusal(metrics, counter_kind, {.name = "x"}).find("other labels") != std::string::npos);
  REQUIRE(metrics.series(metric_kind::histogram, {.name = "h", .bounds = {1, 2}}));
  CHECK(refusal(metrics, metric_kind::histogram, {.name = "h", .bounds = {1, 3}}).find("other bounds") != std::string::npos);
}

TEST_CASE("threads that add at once lose nothing") {
  host_metrics metrics;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&metrics, t] {
      for (int i = 0; i < 5000; ++i) {
        metrics.series(counter_kind, {.name = "x_total", .labels = {{"n", std::to_string(i % 7)}}}).value()->add(1);
        if (i % 1000 == t) text_of(metrics);
      }
    });
  for (auto &t : threads) t.join();
  double sum = 0;
  for (int n = 0; n < 7; ++n)
    sum += metrics.series(counter_kind, {.name = "x_total", .labels = {{"n", std::to_string(n)}}}).value()->value();
  CHECK(sum == 20'000);
}
