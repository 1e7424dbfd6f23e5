#include "metrics/registry.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <thread>

using namespace corbel::detail;
using namespace std::chrono_literals;

namespace {
/// The lines of a text that begin so.
std::string lines(const std::string &text, const std::string &begin) {
  std::istringstream in(text);
  std::string out;
  for (std::string line; std::getline(in, line);)
    if (line.starts_with(begin)) out += line + "\n";
  return out;
}
}  // namespace

TEST_CASE("the text, byte for byte") {
  latency_histogram h;
  for (auto d : {50us, 100us, 101us, 249749us}) h.record(d);
  h.record(90s);
  metrics_registry registry;
  CHECK(registry.text() == "");
  registry.add_source([&](metrics_writer &w) {
    w.gauge("corbel_pool_connections", "Connections by state.", {{"state", "idle"}, {"pool", "main"}}, 3);
    w.gauge("corbel_pool_connections", "Connections by state.", {{"state", "busy"}, {"pool", "main"}}, 1.5);
    w.histogram("corbel_command_seconds", "From send to reply.", {{"pool", "main"}}, h);
  });
  registry.add_source([](metrics_writer &w) {
    w.gauge("corbel_pool_connections", "Never shown: the first help counts.", {{"pool", "jobs"}, {"state", "idle"}}, 0);
    w.counter("corbel_commands_total", "Commands\nwith a \"quote\".", {{"odd", "a\"b\\c\nd\xFF"}}, 12345678);
    w.counter("corbel_up", "No label.", {}, 1);
  });
  CHECK(registry.text() ==
        R"(# HELP corbel_command_seconds From send to reply.
# TYPE corbel_command_seconds histogram
corbel_command_seconds_count{pool="main"} 5
corbel_command_seconds_sum{pool="main"} 90.25
corbel_command_seconds_bucket{pool="main",le="0.0001"} 2
corbel_command_seconds_bucket{pool="main",le="0.0002"} 3
corbel_command_seconds_bucket{pool="main",le="0.0003"} 3
corbel_command_seconds_bucket{pool="main",le="0.0005"} 3
corbel_command_seconds_bucket{pool="main",le="0.001"} 3
corbel_command_seconds_bucket{pool="main",le="0.002"} 3
corbel_command_seconds_bucket{pool="main",le="0.003"} 3
corbel_command_seconds_bucket{pool="main",le="0.005"} 3
corbel_command_seconds_bucket{pool="main",le="0.01"} 3
corbel_command_seconds_bucket{pool="main",le="0.02"} 3
corbel_command_seconds_bucket{pool="main",le="0.03"} 3
corbel_command_seconds_bucket{pool="main",le="0.05"} 3
corbel_command_seconds_bucket{pool="main",le="0.1"} 3
corbel_command_seconds_bucket{pool="main",le="0.2"} 3
corbel_command_seconds_bucket{pool="main",le="0.3"} 4
corbel_command_seconds_bucket{pool="main",le="0.5"} 4
corbel_command_seconds_bucket{pool="main",le="1"} 4
corbel_command_seconds_bucket{pool="main",le="2"} 4
corbel_command_seconds_bucket{pool="main",le="3"} 4
corbel_command_seconds_bucket{pool="main",le="5"} 4
corbel_command_seconds_bucket{pool="main",le="10"} 4
corbel_command_seconds_bucket{pool="main",le="20"} 4
corbel_command_seconds_bucket{pool="main",le="30"} 4
corbel_command_seconds_bucket{pool="main",le="60"} 4
corbel_command_seconds_bucket{pool="main",le="+Inf"} 5
# HELP corbel_commands_total Commands with a "quote".
# TYPE corbel_commands_total counter
corbel_commands_total{odd="a\"b\\c d)"
        "\xEF\xBF\xBD"
        R"("} 12345678
# HELP corbel_pool_connections Connections by state.
# TYPE corbel_pool_connections gauge
corbel_pool_connections{pool="jobs",state="idle"} 0
corbel_pool_connections{pool="main",state="busy"} 1.5
corbel_pool_connections{pool="main",state="idle"} 3
# HELP corbel_up No label.
# TYPE corbel_up counter
corbel_up 1
)");
}

TEST_CASE("values of one name and the same labels are added up") {
  latency_histogram h;
  h.record(1ms);
  h.record(2h);
  metrics_registry registry;
  for (int i = 1; i <= 3; ++i)
    registry.add_source([&h, i](metrics_writer &w) {
      w.counter("c_total", "C.", {{"b", "2"}, {"a", "1"}}, i);
      w.gauge("g", "G.", {}, -i);
      w.histogram("h_seconds", "H.", {}, h);
    });
  auto text = registry.text();
  CHECK(lines(text, "c_total") == "c_total{a=\"1\",b=\"2\"} 6\n");
  CHECK(lines(text, "g ") == "g -6\n");
  CHECK(lines(text, "h_seconds_count") == "h_seconds_count 6\n");
  CHECK(lines(text, "h_seconds_bucket{le=\"0.0005\"}") == "h_seconds_bucket{le=\"0.0005\"} 0\n");
  CHECK(lines(text, "h_seconds_bucket{le=\"0.001\"}") == "h_seconds_bucket{le=\"0.001\"} 3\n");
  CHECK(lines(text, "h_seconds_bucket{le=\"60\"}") == "h_seconds_bucket{le=\"60\"} 3\n");
  CHECK(lines(text, "h_seconds_bucket{le=\"+Inf\"}") == "h_seconds_bucket{le=\"+Inf\"} 6\n");
}

TEST_CASE("what Prometheus would refuse is left out and counted") {
  metrics_registry registry;
  registry.add_source([](metrics_writer &w) {
    w.gauge("good", "G.", {{"label_1", "x"}}, 1);
    w.gauge("", "No name.", {}, 1);
    w.gauge("1st", "A digit first.", {}, 1);
    w.gauge("with-dash", "A dash.", {}, 1);
    w.gauge("label", "A bad label.", {{"a:b", "x"}}, 1);
    w.gauge("label", "A reserved label.", {{"__name__", "x"}}, 1);
    w.gauge("label", "The buckets' label.", {{"le", "x"}}, 1);
    w.gauge("label", "Twice the same label.", {{"a", "x"}, {"a", "y"}}, 1);
    w.counter("good", "Another kind.", {}, 1);
  });
  auto text = registry.text();
  CHECK(
      text ==
      "# HELP corbel_metrics_refused Metrics that could not be shown at this scrape.\n# TYPE corbel_metrics_refused gauge\n"
      "corbel_metrics_refused 8\n"
      "# HELP good G.\n# TYPE good gauge\ngood{label_1=\"x\"} 1\n");
}

TEST_CASE("sources come and go; one that throws hides only its own rest") {
  metrics_registry registry;
  auto held = std::make_shared<int>();
  auto a = registry.add_source([held](metrics_writer &w) { w.gauge("a", "A.", {}, 1); });
  registry.add_source([](metrics_writer &w) {
    w.gauge("b", "B.", {}, 1);
    throw std::runtime_error("no more");
  });
  registry.add_source([](metrics_writer &w) { w.gauge("c", "C.", {}, 1); });
  auto text = registry.text();
  CHECK(lines(text, "a ") == "a 1\n");
  CHECK(lines(text, "b ") == "b 1\n");
  CHECK(lines(text, "c ") == "c 1\n");
  CHECK(lines(text, "corbel_metrics_refused") == "corbel_metrics_refused 1\n");
  registry.remove_source(a);
  registry.remove_source(a);
  registry.remove_source(0);
  CHECK(held.use_count() == 1);
  CHECK(lines(registry.text(), "a ").empty());
}

TEST_CASE("a source may add and remove sources while it is called; any thread may scrape") {
  metrics_registry registry;
  std::atomic<int> calls{0};
  registry.add_source([&](metrics_writer &w) {
    auto id = registry.add_source([](metrics_writer &) {});
    registry.remove_source(id);
    w.counter("calls", "Calls.", {}, ++calls);
  });
  std::vector<std::thread> scrapers;
  scrapers.reserve(4);
  for (int i = 0; i < 4; ++i)
    scrapers.emplace_back([&] {
      for (int n = 0; n < 50; ++n)
        if (lines(registry.text(), "calls ").empty()) calls = -1000;
    });
  for (auto &s : scrapers) s.join();
  CHECK(calls == 200);
}

TEST_CASE("latency_histogram counts each duration in the lowest bucket that holds it") {
  constexpr auto bounds = latency_histogram::bounds;
  for (std::size_t i = 0; i < bounds; ++i) {
    auto bound = latency_histogram::upper[i];
    if (i > 0) CHECK(bound > latency_histogram::upper[i - 1]);
    latency_histogram h;
    h.record(bound);
    h.record(bound + 1ns);
    auto s = h.read();
    CHECK(s.counts[i] == 1);
    CHECK(s.counts[i + 1] == 1);
    CHECK(s.sum == 2 * bound + 1ns);
  }
  CHECK(latency_histogram::upper.front() == 100us);
  CHECK(latency_histogram::upper.back() == 60s);
  latency_histogram h;
  h.record(-5ms);
  h.record(0ns);
  h.record(1ns);
  CHECK(h.read().counts[0] == 3);
  CHECK(h.read().sum == 1ns);
}

TEST_CASE("no duration is lost between threads") {
  latency_histogram h;
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20000; ++i) h.record(std::chrono::microseconds(1 << (t * 5)));
    });
  for (auto &t : threads) t.join();
  std::uint64_t sum = 0;
  for (auto n : h.read().counts) sum += n;
  CHECK(sum == 80000);
  CHECK(h.read().sum == 20000 * (1us + 32us + 1024us + 32768us));
}
