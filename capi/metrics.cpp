#include "capi/handles.hpp"
#include "metrics/host_metrics.hpp"

#include <cmath>

using namespace corbel;
using namespace corbel::capi;

struct corbel_metric {
  std::shared_ptr<detail::metric_series> series;
  detail::metric_kind kind;
  detail::fork_stamp stamp = {};
};

namespace {

error read_metric_options(const corbel_metric_options *o, metric_options &out, detail::metric_kind &kind) {
  corbel_metric_options given{};
  if (auto why = read_options(o, given, "corbel_metric_options")) return why;
  if (given.kind < CORBEL_METRIC_COUNTER || given.kind > CORBEL_METRIC_HISTOGRAM)
    return invalid(fmt::format(
        "corbel_metric_options.kind is {}: give CORBEL_METRIC_COUNTER, CORBEL_METRIC_GAUGE or CORBEL_METRIC_HISTOGRAM",
        given.kind));
  if ((given.n != 0 && (!given.labels || given.each < sizeof(corbel_field))) || (given.n_bounds != 0 && !given.bounds))
    return invalid("corbel_metric_options's labels or bounds are NULL, or each is not sizeof(corbel_field)");
  kind = static_cast<detail::metric_kind>(given.kind - CORBEL_METRIC_COUNTER);
  out.name = text_or(given.name, "");
  out.help = text_or(given.help, "");
  if (given.max_series != 0) out.max_series = given.max_series;
  if (given.n_bounds != 0) out.bounds.assign(given.bounds, given.bounds + given.n_bounds);
  for (size_t i = 0; i < given.n; ++i) {
    corbel_field f;
    std::memcpy(&f, reinterpret_cast<const char *>(given.labels) + i * given.each, sizeof f);
    if (!f.name || (!f.value.data && f.value.size != 0)) return invalid("a label's name or value is NULL");
    out.labels.emplace_back(f.name, std::string(static_cast<const char *>(f.value.data ? f.value.data : ""), f.value.size));
  }
  return {};
}

}  // namespace

corbel_status corbel_metric_open(corbel_runtime *rt, const corbel_metric_options *o, corbel_metric **out,
                                 corbel_error **err) {
  return guard(err, [&]() -> error {
    if (!rt || !out) return invalid("the runtime or the out-parameter is NULL");
    if (rt->core().forked()) return detail::forked_error();
    metric_options options;
    detail::metric_kind kind{};
    if (auto why = read_metric_options(o, options, kind)) return why;
    auto series = rt->core().host().series(kind, std::move(options));
    if (!series) return series.error();
    *out = new corbel_metric{*std::move(series), kind};
    return {};
  });
}

corbel_status corbel_metric_add(const corbel_metric *m, double n) {
  if (!m) return CORBEL_INVALID;
  if (m->stamp.forked()) return CORBEL_FORKED;
  if (m->kind == detail::metric_kind::histogram || std::isnan(n)) return CORBEL_INVALID;
  if (m->kind == detail::metric_kind::counter && n < 0) return CORBEL_INVALID;
  m->series->add(n);
  return CORBEL_OK;
}

corbel_status corbel_metric_set(const corbel_metric *m, double value) {
  if (!m) return CORBEL_INVALID;
  if (m->stamp.forked()) return CORBEL_FORKED;
  if (m->kind != detail::metric_kind::gauge) return CORBEL_INVALID;
  m->series->set(value);
  return CORBEL_OK;
}

corbel_status corbel_metric_record(const corbel_metric *m, double value) {
  if (!m) return CORBEL_INVALID;
  if (m->stamp.forked()) return CORBEL_FORKED;
  if (m->kind != detail::metric_kind::histogram || std::isnan(value)) return CORBEL_INVALID;
  m->series->record(value);
  return CORBEL_OK;
}

void corbel_metric_free(corbel_metric *m) { delete m; }
