#include "operations/latency_window.hpp"

#include <doctest/doctest.h>

using namespace corbel;

TEST_CASE("members of the platform's sorted sets") {
  CHECK(latency_sample::parse("1796063064.25:12.5")->at == 1796063064.25);
  CHECK(latency_sample::parse("1796063064.25:12.5")->ms == 12.5);
  CHECK(latency_sample::parse("1796063064:7")->ms == 7);
  for (auto none : {"", ":", "1:", ":1", "a:b", "1:2:3", "1;2"}) CHECK_FALSE(latency_sample::parse(none));
  CHECK(latency_key("home", "demo", "task_exec_ms", "proc") == "home:demo:kdcube:metrics:task_exec_ms:proc");
}

TEST_CASE("percentiles of a window, by the platform's index") {
  std::vector<latency_sample> samples;
  for (int i = 1; i <= 100; ++i) samples.push_back({1000.0, 101.0 - i});
  samples.push_back({100.0, 5000.0});
  const auto minute = latency_window::of(samples, 1030, 60);
  CHECK(minute.count == 100);
  CHECK(minute.p50 == 51);
  CHECK(minute.p95 == 96);
  CHECK(minute.p99 == 100);
  CHECK(minute.most == 100);
  CHECK(latency_window::of(samples, 1030, 3600).most == 5000);
  CHECK(latency_window::of(samples, 9999, 60).count == 0);
  const auto one = latency_window::of({{1, 3}}, 1, 60);
  CHECK(one.p50 == 3);
  CHECK(one.p99 == 3);
}
