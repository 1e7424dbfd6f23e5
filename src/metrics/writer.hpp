#pragma once
/// What a source of metrics writes into during one scrape. One thread at a time.

#include "metrics/latency_histogram.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace corbel::detail {

/// {{"pool", "main"}, {"state", "idle"}}; any order, the output is sorted.
using metric_labels = std::vector<std::pair<std::string, std::string>>;

/// Families of one name are merged, whoever wrote them; values of one name and the same labels are added up. What cannot be
/// shown is left out and counted in the gauge corbel_metrics_refused: a name that Prometheus does not allow, or one that
/// another source uses for another kind of metric.
class metrics_writer {
 public:
  metrics_writer();
  ~metrics_writer();
  metrics_writer(const metrics_writer &) = delete;
  metrics_writer &operator=(const metrics_writer &) = delete;

  /// A value that only grows; its name ends in _total by custom.
  void counter(std::string_view name, std::string_view help, const metric_labels &labels, double value);
  void gauge(std::string_view name, std::string_view help, const metric_labels &labels, double value);
  /// In seconds; its name ends in _seconds by custom.
  void histogram(std::string_view name, std::string_view help, const metric_labels &labels, const latency_histogram &h);

  /// Counts something that a source meant to write and could not.
  void refuse() noexcept;
  /// All that was written, in Prometheus text format 0.0.4, sorted by name and labels.
  std::string text();

 private:
  struct families;
  std::unique_ptr<families> families_;
};

}  // namespace corbel::detail
