#include "runtime/runtime_core.hpp"

#include <corbel/metrics.hpp>

namespace corbel {

namespace {
std::shared_ptr<detail::metric_series> open(runtime &rt, detail::metric_kind kind, metric_options &options) {
  if (rt.core()->forked()) throw failure(detail::forked_error());
  auto made = rt.core()->host().series(kind, std::move(options));
  if (!made) throw failure(made.error());
  return *std::move(made);
}
}  // namespace

counter::counter(runtime &rt, metric_options o) : series_(open(rt, detail::metric_kind::counter, o)) {}
void counter::add(double n) const noexcept {
  if (n > 0) series_->add(n);
}

gauge::gauge(runtime &rt, metric_options o) : series_(open(rt, detail::metric_kind::gauge, o)) {}
void gauge::set(double value) const noexcept { series_->set(value); }
void gauge::add(double n) const noexcept { series_->add(n); }

histogram::histogram(runtime &rt, metric_options o) : series_(open(rt, detail::metric_kind::histogram, o)) {}
void histogram::record(double value) const noexcept { series_->record(value); }

}  // namespace corbel
