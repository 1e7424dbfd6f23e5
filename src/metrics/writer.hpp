#pragma once
/// What a source of metrics writes into during one scrape. One thread at a time.

#include "metrics/latency_histogram.hpp"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace corbel::detail {

/// {{"pool", "main"}, {"state", "idle"}}; any order, the output is sorted.
using metric_labels = std::vector<std::pair<std::string, std::string>>;

enum class metric_kind { counter, gauge, histogram };

/// All values of one name, for other formats than text.
struct metric_family {
  struct point {
    metric_labels labels;                     ///< sorted
    double value = 0;                         ///< of a counter or a gauge
    std::vector<std::uint64_t> buckets = {};  ///< of a histogram, not cumulative; one more than bounds
    double sum = 0;
    std::uint64_t count = 0;
  };
  std::string name, help;
  metric_kind kind = metric_kind::gauge;
  std::vector<double> bounds = {};  ///< of a histogram's buckets
  std::vector<point> points = {};
};

/// Families of one name are merged, whoever wrote them; values of one name and the same labels are added up. What cannot be
/// shown is left out and counted in the gauge corbel_metrics_refused: a name that Prometheus does not allow, or one that
/// another source uses for another kind of metric or with other bounds.
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
  /// Of any values. counts: not cumulative, one more than bounds.
  void histogram(std::string_view name, std::string_view help, const metric_labels &labels, std::span<const double> bounds,
                 std::span<const std::uint64_t> counts, double sum);

  /// Counts something that a source meant to write and could not.
  void refuse() noexcept;
  /// All that was written, sorted by name and labels.
  std::vector<metric_family> all();
  /// The same in Prometheus text format 0.0.4; takes it away.
  std::string text();

 private:
  void write_refused();
  struct families;
  std::unique_ptr<families> families_;
};

}  // namespace corbel::detail
