#include "metrics/host_metrics.hpp"

#include "base/code_point.hpp"
#include "metrics/names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace corbel::detail {

namespace {

constexpr std::size_t longest_value = 256, most_labels = 16, most_bounds = 100;

const char *kind_name(metric_kind k) {
  return k == metric_kind::counter ? "counter" : k == metric_kind::gauge ? "gauge" : "histogram";
}

error refuse(std::string text) { return error(status::invalid, std::move(text), "metrics"); }

bool same_names(const metric_labels &a, const metric_labels &b) {
  return std::ranges::equal(a, b, {}, &metric_labels::value_type::first, &metric_labels::value_type::first);
}

metric_series::bound_list seconds() {
  metric_series::bound_list list;
  for (auto bound : latency_histogram::upper) list.push_back(std::chrono::duration<double>(bound).count());
  return list;
}

}  // namespace

error host_metrics::fault(const metric_options &o, metric_kind kind) {
  if (!is_metric_name(o.name))
    return refuse(fmt::format("'{}' is no name of a metric: give letters, digits, '_' and ':', no digit first", o.name));
  if (o.name.starts_with("corbel_"))
    return refuse(fmt::format("the metric '{}' has a name of the library's: do not begin it with corbel_", o.name));
  if (o.max_series < 1 || o.max_series > 100'000)
    return refuse(fmt::format("max_series of the metric '{}' is {}: give 1 to 100000", o.name, o.max_series));
  if (o.labels.size() > most_labels)
    return refuse(fmt::format("the metric '{}' has {} labels: give at most {}", o.name, o.labels.size(), most_labels));
  for (auto &[label, value] : o.labels)
    if (!is_label_name(label))
      return refuse(fmt::format("'{}' is no name of a label of the metric '{}': give letters, digits and '_', and not 'le'",
                                label, o.name));
  if (std::ranges::adjacent_find(o.labels, {}, &metric_labels::value_type::first) != o.labels.end())
    return refuse(fmt::format("the metric '{}' has a label twice", o.name));
  if (kind != metric_kind::histogram && !o.bounds.empty())
    return refuse(fmt::format("the metric '{}' is no histogram: it has no bounds", o.name));
  const bool finite = std::ranges::all_of(o.bounds, [](double b) { return std::isfinite(b); });
  if (!finite || o.bounds.size() > most_bounds ||
      std::ranges::adjacent_find(o.bounds, std::greater_equal()) != o.bounds.end())
    return refuse(fmt::format("bounds of the metric '{}' are not ascending numbers, at most {}", o.name, most_bounds));
  return {};
}

error host_metrics::mismatch(const std::string &name, const family &f, metric_kind kind, const metric_options &o) {
  if (f.kind != kind)
    return refuse(fmt::format("the metric '{}' is a {} already, no {}", name, kind_name(f.kind), kind_name(kind)));
  if (!f.series.empty() && !same_names(f.series.begin()->first, o.labels))
    return refuse(fmt::format("the metric '{}' has series with other labels: give all the same names", name));
  if (f.bounds && !o.bounds.empty() && o.bounds != *f.bounds)
    return refuse(fmt::format("the metric '{}' has other bounds already", name));
  return {};
}

result<std::shared_ptr<metric_series>> host_metrics::series(metric_kind kind, metric_options o) {
  for (auto &[label, value] : o.labels) value = one_line(value.substr(0, longest_value));
  std::ranges::sort(o.labels);
  if (auto why = fault(o, kind)) return why;
  std::lock_guard lock(mutex_);
  auto found = families_.find(o.name);
  if (found == families_.end()) {
    std::shared_ptr<const metric_series::bound_list> bounds;
    if (kind == metric_kind::histogram)
      bounds = std::make_shared<const metric_series::bound_list>(o.bounds.empty() ? seconds() : o.bounds);
    found = families_.emplace(o.name, family{kind, std::move(o.help), o.max_series, std::move(bounds)}).first;
  } else if (auto why = mismatch(o.name, found->second, kind, o)) {
    return why;
  }
  auto &f = found->second;
  if (auto at = f.series.find(o.labels); at != f.series.end()) return at->second;
  auto made = std::make_shared<metric_series>(f.bounds);
  if (f.series.size() < f.max_series) return f.series.emplace(std::move(o.labels), made).first->second;
  ++f.others;
  return f.other ? f.other : f.other = made;
}

void host_metrics::write(metrics_writer &to) const {
  std::lock_guard lock(mutex_);
  for (auto &[name, f] : families_) {
    auto one = [&](const metric_labels &labels, const metric_series &s) {
      if (f.kind == metric_kind::counter)
        to.counter(name, f.help, labels, s.value());
      else if (f.kind == metric_kind::gauge)
        to.gauge(name, f.help, labels, s.value());
      else
        to.histogram(name, f.help, labels, s.bounds(), s.counts(), s.value());
    };
    for (auto &[labels, series] : f.series) one(labels, *series);
    if (!f.other) continue;
    auto labels = f.series.begin()->first;
    for (auto &[label, value] : labels) value = "other";
    one(labels, *f.other);
    to.counter("corbel_metrics_other_total", "How often a host asked for a series more than its metric may have.",
               {{"metric", name}}, static_cast<double>(f.others));
  }
}

}  // namespace corbel::detail
