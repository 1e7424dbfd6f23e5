#include "bundle/loader_metrics.hpp"

namespace corbel::detail {

void write_loader_metrics(metrics_writer &w, const std::string &loader, const loader_counters &c,
                          const std::vector<bundle_status> &all, std::chrono::system_clock::time_point now) {
  const metric_labels labels{{"loader", loader}};
  const auto counter = [&](const char *name, const char *help, const std::atomic<std::uint64_t> &n) {
    w.counter(name, help, labels, static_cast<double>(n.load(std::memory_order_relaxed)));
  };
  counter("corbel_bundle_looks_total", "Looks at repositories.", c.looks);
  counter("corbel_bundle_failures_total", "Looks that failed, for each of their bundles.", c.failures);
  counter("corbel_bundle_fetches_total", "Looks that received something.", c.fetches);
  counter("corbel_bundle_switches_total", "Switches of a bundle to another commit.", c.switches);
  counter("corbel_bundle_removed_total", "Commits removed.", c.removed);
  counter("corbel_bundle_repaired_files_total", "Files that somebody had written to and that were made anew.", c.repaired);
  w.gauge("corbel_bundle_jobs", "Jobs under way.", labels, static_cast<double>(c.running.load(std::memory_order_relaxed)));
  for (const auto &s : all) {
    const metric_labels one{{"loader", loader}, {"bundle", s.id}};
    w.gauge("corbel_bundle_up", "1 while the last look went well.", one, s.state == bundle_state::ready ? 1 : 0);
    if (s.commit.empty()) continue;
    w.gauge("corbel_bundle_bytes", "Bytes of the current commit.", one, static_cast<double>(s.bytes));
    w.gauge("corbel_bundle_age_seconds", "Since the current commit became current.", one,
            std::chrono::duration<double>(now - s.since).count());
  }
}

}  // namespace corbel::detail
