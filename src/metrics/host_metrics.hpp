#pragma once
/// Owns: the host's own series by name and labels, with their bounds. Callers: the runtime. Threads: any.

#include "metrics/metric_series.hpp"
#include "metrics/writer.hpp"

#include <corbel/metrics.hpp>
#include <corbel/result.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace corbel::detail {

class host_metrics {
 public:
  /// The series of this name and these labels, made when it is new; the one of "other" when its name has max_series already.
  result<std::shared_ptr<metric_series>> series(metric_kind kind, metric_options options);
  void write(metrics_writer &to) const;

 private:
  struct family {
    metric_kind kind;
    std::string help;
    std::uint32_t max_series;
    std::shared_ptr<const metric_series::bound_list> bounds;
    std::map<metric_labels, std::shared_ptr<metric_series>> series = {};  // labels sorted by name
    std::shared_ptr<metric_series> other = {};
    std::uint64_t others = 0;
  };
  static error fault(const metric_options &o, metric_kind kind);
  static error mismatch(const std::string &name, const family &f, metric_kind kind, const metric_options &o);

  mutable std::mutex mutex_;
  std::map<std::string, family, std::less<>> families_;
};

}  // namespace corbel::detail
