#pragma once
/// Metrics of the host's own, shown beside the library's: in runtime::metrics_text(), at /metrics, and to a collector.
///
///     corbel::counter mails(rt, {.name = "mails_sent_total", .help = "Mails taken by a server.", .labels = {{"list",
///     "weekly"}}}); mails.add();
///
/// Each object is one series: a name and the values of its labels. Making one takes a lock: make it once, keep it. Updating
/// one takes none. The same name and labels are the same series, whoever asks; it stays until the runtime is gone, with or
/// without its objects. Threads: any, at once.
///
/// Bounded: a name has at most max_series series. What comes with further labels is counted in one more series, whose labels
/// all say "other"; corbel_metrics_other_total{metric} counts how often that was asked for.

#include <corbel/runtime.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace corbel {

namespace detail {
class metric_series;
}

struct metric_options {
  std::string name;  ///< letters, digits, '_' and ':'; not corbel_..., which is the library's; a counter's ends in _total
  std::string help = {};
  std::vector<std::pair<std::string, std::string>> labels = {};  ///< the same names in every series of a name
  std::uint32_t max_series = 1000;                               ///< 1 to 100,000; the first series of a name decides
  std::vector<double> bounds = {};  ///< of a histogram, ascending, at most 100; empty: 0.0001 to 60, for seconds
};

/// Only grows.
class counter {
 public:
  /// Throws failure, status::invalid: name or label is malformed, or the name is of another kind or has other labels.
  counter(runtime &rt, metric_options options);
  /// n below 0, and what is no number, is ignored.
  void add(double n = 1) const noexcept;

 private:
  std::shared_ptr<detail::metric_series> series_;
};

class gauge {
 public:
  gauge(runtime &rt, metric_options options);
  void set(double value) const noexcept;
  void add(double n) const noexcept;

 private:
  std::shared_ptr<detail::metric_series> series_;
};

/// Counts values in buckets, each up to and with its bound; what is above the last in one more.
class histogram {
 public:
  histogram(runtime &rt, metric_options options);
  /// What is no number is ignored. A duration in seconds.
  void record(double value) const noexcept;

 private:
  std::shared_ptr<detail::metric_series> series_;
};

}  // namespace corbel
