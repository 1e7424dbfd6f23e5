#pragma once
/// Owns: the list of those who have metrics to show; no values: each source writes its own at every scrape.
/// Called by: parts of a runtime (add, remove) and whoever serves the metrics (text).
/// Threads: any. Sources are called on the thread that calls text(), and no lock is held meanwhile.

#include "metrics/writer.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace corbel::detail {

class metrics_registry {
 public:
  using source_function = std::function<void(metrics_writer &)>;

  /// Adds a source; returns its id, never 0. The function must own a share of what it reads, or hold it weakly: a scrape
  /// that began before remove_source may still call it, and two scrapes may call it at once.
  std::uint64_t add_source(source_function source);
  /// Scrapes that begin afterwards leave it out. Never waits for one. An unknown id is ignored.
  void remove_source(std::uint64_t id);
  /// Prometheus text format 0.0.4. A source that throws loses what it had not written yet.
  std::string text() const;
  /// The same, for other formats.
  std::vector<metric_family> families() const;

 private:
  void collect(metrics_writer &to) const;

  mutable std::mutex mutex_;
  std::uint64_t last_id_ = 0;
  std::map<std::uint64_t, std::shared_ptr<const source_function>> sources_;
};

}  // namespace corbel::detail
