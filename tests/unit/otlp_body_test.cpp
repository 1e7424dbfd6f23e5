#include "operations/otlp_body.hpp"

#include <doctest/doctest.h>
#include <simdjson.h>

using namespace corbel;
using namespace std::chrono_literals;

TEST_CASE("metrics as OTLP's JSON: sums, gauges, histograms with one count more than bounds") {
  detail::latency_histogram h;
  h.record(150us);
  h.record(2min);
  detail::metrics_writer to;
  to.counter("a_total", "Help.", {{"k", "v"}}, 3);
  to.gauge("b", "Help.", {}, 1.5);
  to.histogram("c_seconds", "Help.", {}, h);
  const otlp_source from{"proc", "proc-1", "home", "demo", "0.1.0", std::chrono::system_clock::time_point(5s)};
  const auto text = otlp_metrics(to.all(), from, std::chrono::system_clock::time_point(7s));
  simdjson::dom::parser parser;
  simdjson::dom::element root = parser.parse(text);
  auto metrics = root.at_pointer("/resourceMetrics/0/scopeMetrics/0/metrics");
  CHECK(std::string_view(metrics.at_pointer("/0/name")) == "a_total");
  CHECK(bool(metrics.at_pointer("/0/sum/isMonotonic")));
  CHECK(std::int64_t(metrics.at_pointer("/0/sum/aggregationTemporality")) == 2);
  CHECK(std::string_view(metrics.at_pointer("/0/sum/dataPoints/0/timeUnixNano")) == "7000000000");
  CHECK(std::string_view(metrics.at_pointer("/0/sum/dataPoints/0/startTimeUnixNano")) == "5000000000");
  CHECK(std::string_view(metrics.at_pointer("/0/sum/dataPoints/0/attributes/0/value/stringValue")) == "v");
  CHECK(double(metrics.at_pointer("/1/gauge/dataPoints/0/asDouble")) == 1.5);
  auto point = metrics.at_pointer("/2/histogram/dataPoints/0");
  CHECK(std::string_view(point.at_key("count")) == "2");
  CHECK(point.at_key("bucketCounts").get_array().size() == point.at_key("explicitBounds").get_array().size() + 1);
  CHECK(std::string_view(point.at_pointer("/bucketCounts/1")) == "1");
  CHECK(std::string_view(point.at_pointer("/bucketCounts/24")) == "1");
}
