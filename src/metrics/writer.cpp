#include "metrics/writer.hpp"

#include "base/code_point.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <map>

namespace corbel::detail {

namespace {
using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using label_list = std::vector<ClientMetric::Label>;

bool is_name(std::string_view text, bool colon) {
  auto allowed = [colon](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || (colon && c == ':');
  };
  return !text.empty() && (text[0] < '0' || text[0] > '9') && std::ranges::all_of(text, allowed);
}

/// "le" belongs to the buckets of histograms.
bool is_label(std::string_view text) { return is_name(text, false) && !text.starts_with("__") && text != "le"; }
}  // namespace

struct metrics_writer::families {
  struct family {
    std::string help;
    MetricType type;
    std::map<label_list, ClientMetric> metrics;
  };
  std::map<std::string, family, std::less<>> all;
  double refused = 0;

  /// The metric to add to; nullptr when it is refused.
  ClientMetric *at(std::string_view name, std::string_view help, const metric_labels &labels, MetricType type) {
    label_list list;
    bool good = is_name(name, true);
    for (auto &[key, value] : labels) {
      good = good && is_label(key);
      list.push_back({key, one_line(value)});
    }
    std::sort(list.begin(), list.end());
    good = good && std::ranges::adjacent_find(list, {}, &ClientMetric::Label::name) == list.end();
    auto found = all.find(name);
    if (!good || (found != all.end() && found->second.type != type)) {
      ++refused;
      return nullptr;
    }
    if (found == all.end()) found = all.emplace(name, family{one_line(std::string(help)), type, {}}).first;
    auto [metric, fresh] = found->second.metrics.try_emplace(list);
    if (fresh) metric->second.label = std::move(list);
    return &metric->second;
  }
};

metrics_writer::metrics_writer() : families_(std::make_unique<families>()) {}
metrics_writer::~metrics_writer() = default;

void metrics_writer::counter(std::string_view name, std::string_view help, const metric_labels &labels, double value) {
  if (auto *m = families_->at(name, help, labels, MetricType::Counter)) m->counter.value += value;
}

void metrics_writer::gauge(std::string_view name, std::string_view help, const metric_labels &labels, double value) {
  if (auto *m = families_->at(name, help, labels, MetricType::Gauge)) m->gauge.value += value;
}

void metrics_writer::histogram(std::string_view name, std::string_view help, const metric_labels &labels,
                               const latency_histogram &h) {
  auto *m = families_->at(name, help, labels, MetricType::Histogram);
  if (!m) return;
  auto &into = m->histogram;
  auto from = h.read();
  into.bucket.resize(latency_histogram::bounds);
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < latency_histogram::bounds; ++i) {
    below += from.counts[i];
    into.bucket[i].upper_bound = std::chrono::duration<double>(latency_histogram::upper[i]).count();
    into.bucket[i].cumulative_count += below;
  }
  into.sample_count += below + from.counts.back();
  into.sample_sum += std::chrono::duration<double>(from.sum).count();
}

void metrics_writer::refuse() noexcept { ++families_->refused; }

void metrics_writer::write_refused() {
  if (auto refused = families_->refused; refused != 0)
    gauge("corbel_metrics_refused", "Metrics that could not be shown at this scrape.", {}, refused);
}

std::vector<metric_family> metrics_writer::all() {
  write_refused();
  std::vector<metric_family> list;
  for (auto &[name, from] : families_->all) {
    const auto kind = from.type == MetricType::Counter ? metric_kind::counter
                      : from.type == MetricType::Gauge ? metric_kind::gauge
                                                       : metric_kind::histogram;
    auto &out = list.emplace_back(metric_family{name, from.help, kind});
    for (auto &[labels, metric] : from.metrics) {
      auto &p = out.points.emplace_back();
      for (auto &l : labels) p.labels.emplace_back(l.name, l.value);
      p.value = kind == metric_kind::counter ? metric.counter.value : metric.gauge.value;
      if (kind != metric_kind::histogram) continue;
      p.count = metric.histogram.sample_count;
      p.sum = metric.histogram.sample_sum;
      std::uint64_t below = 0;
      for (auto &b : metric.histogram.bucket)
        p.buckets.push_back(b.cumulative_count - std::exchange(below, b.cumulative_count));
      p.buckets.push_back(p.count - below);
    }
  }
  return list;
}

std::string metrics_writer::text() {
  write_refused();
  std::vector<MetricFamily> list;
  for (auto &[name, family] : families_->all) {
    auto &out = list.emplace_back(MetricFamily{name, family.help, family.type, {}});
    for (auto &[labels, metric] : family.metrics) out.metric.push_back(metric);
  }
  return prometheus::TextSerializer().Serialize(list);
}

}  // namespace corbel::detail
