#pragma once
/// What the bundles of a process did: turns, errors, durations, and what their handlers report of economics. One thread at a
/// time. Bounded: of more than 200 bundles the rest is counted under "other", of more than 20 things of a bundle the rest is
/// not counted.

#include "metrics/latency_histogram.hpp"
#include "metrics/writer.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace corbel {

class turn_figures {
 public:
  static constexpr std::size_t most = 200, most_economics = 20;

  void ended(const std::string &bundle, bool good, std::chrono::nanoseconds took);
  /// Adds what a handler reports: a JSON object of numbers, {"tokens": 120, "cost_cents": 0.4}. Counted is what is not
  /// negative and has a name of up to 40 letters, digits and "_".
  void economics(const std::string &bundle, const std::string &json);

  /// {"app": {"turns": 3, "errors": 1, "seconds": 1.2, "economics": {"tokens": 240}}, ...}
  std::string json() const;
  void write_metrics(detail::metrics_writer &to) const;

 private:
  struct one {
    std::uint64_t turns = 0, errors = 0;
    std::chrono::nanoseconds time{0};
    std::unique_ptr<detail::latency_histogram> durations = std::make_unique<detail::latency_histogram>();
    std::map<std::string, double, std::less<>> economics;
  };
  one &of(const std::string &bundle);
  std::map<std::string, one> all_;
};

}  // namespace corbel
