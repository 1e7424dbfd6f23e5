#include "metrics/writer.hpp"

#include "base/code_point.hpp"
#include "metrics/names.hpp"

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

double in_seconds(std::chrono::nanoseconds d) { return std::chrono::duration<double>(d).count(); }

}  // namespace

struct metrics_writer::families {
  struct family {
    std::string help;
    MetricType type;
    std::vector<double> bounds;
    std::map<label_list, ClientMetric> metrics;
  };
  std::map<std::string, family, std::less<>> all;
  double refused = 0;

  /// Of the metric before, which is most often of the same name.
  decltype(all)::iterator last = all.end();

  decltype(all)::iterator family_of(std::string_view name) {
    return last != all.end() && last->first == name ? last : all.find(name);
  }

  /// The metric to add to; nullptr when it is refused.
  ClientMetric *at(std::string_view name, std::string_view help, const metric_labels &labels, MetricType type,
                   std::span<const double> bounds = {}) {
    label_list list;
    list.reserve(labels.size());
    bool good = is_metric_name(name);
    for (auto &[key, value] : labels) {
      good = good && is_label_name(key);
      list.push_back({key, one_line(value)});
    }
    std::sort(list.begin(), list.end());
    good = good && std::ranges::adjacent_find(list, {}, &ClientMetric::Label::name) == list.end();
    auto found = family_of(name);
    if (found != all.end()) good = good && found->second.type == type && std::ranges::equal(found->second.bounds, bounds);
    if (!good) {
      ++refused;
      return nullptr;
    }
    if (found == all.end())
      found = all.emplace(name, family{one_line(std::string(help)), type, {bounds.begin(), bounds.end()}, {}}).first;
    last = found;
    // Sources often write in order, so the place is often the end.
    auto &metrics = found->second.metrics;
    const auto before = metrics.size();
    auto metric = metrics.try_emplace(metrics.end(), list);
    if (metrics.size() != before) metric->second.label = std::move(list);
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
  std::array<double, latency_histogram::bounds> bounds;
  std::ranges::transform(latency_histogram::upper, bounds.begin(), in_seconds);
  const auto from = h.read();
  histogram(name, help, labels, bounds, from.counts, in_seconds(from.sum));
}

void metrics_writer::histogram(std::string_view name, std::string_view help, const metric_labels &labels,
                               std::span<const double> bounds, std::span<const std::uint64_t> counts, double sum) {
  auto *m = families_->at(name, help, labels, MetricType::Histogram, bounds);
  if (!m) return;
  auto &into = m->histogram;
  into.bucket.resize(bounds.size());
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    below += counts[i];
    into.bucket[i].upper_bound = bounds[i];
    into.bucket[i].cumulative_count += below;
  }
  into.sample_count += below + counts.back();
  into.sample_sum += sum;
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
    auto &out = list.emplace_back(metric_family{name, from.help, kind, from.bounds});
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
  list.reserve(families_->all.size());
  for (auto &[name, family] : families_->all) {
    auto &out = list.emplace_back(MetricFamily{name, std::move(family.help), family.type, {}});
    out.metric.reserve(family.metrics.size());
    for (auto &[labels, metric] : family.metrics) out.metric.push_back(std::move(metric));
  }
  families_ = std::make_unique<families>();
  return prometheus::TextSerializer().Serialize(list);
}

}  // namespace corbel::detail
