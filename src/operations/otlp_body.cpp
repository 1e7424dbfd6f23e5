#include "operations/otlp_body.hpp"

#include "json/writer.hpp"

namespace corbel {

namespace {

/// 64-bit numbers are text in OTLP's JSON.
std::string nanoseconds(std::chrono::system_clock::time_point t) {
  return std::to_string(std::chrono::duration_cast<std::chrono::nanoseconds>(t.time_since_epoch()).count());
}

class otlp_writer {
 public:
  otlp_writer(std::string &out, const otlp_source &from, std::chrono::system_clock::time_point now)
      : w_(out), from_(from), now_(nanoseconds(now)), start_(nanoseconds(from.started)) {}

  void write(const std::vector<detail::metric_family> &families) {
    w_.begin_object().key("resourceMetrics").begin_array().begin_object().key("resource").begin_object();
    w_.key("attributes").begin_array();
    attribute("service.name", from_.service);
    attribute("service.instance.id", from_.instance);
    attribute("service.namespace", from_.tenant + "/" + from_.project);
    w_.end_array().end_object().key("scopeMetrics").begin_array().begin_object().key("scope").begin_object();
    w_.member("name", "corbel").member("version", from_.version).end_object().key("metrics").begin_array();
    for (auto &f : families) family(f);
    w_.end_array().end_object().end_array().end_object().end_array().end_object();
  }

 private:
  void attribute(std::string_view key, std::string_view value) {
    w_.begin_object().member("key", key).key("value").begin_object().member("stringValue", value).end_object().end_object();
  }

  void begin_point(const detail::metric_family::point &p) {
    w_.begin_object().key("attributes").begin_array();
    for (auto &[name, value] : p.labels) attribute(name, value);
    w_.end_array().member("startTimeUnixNano", start_).member("timeUnixNano", now_);
  }

  void family(const detail::metric_family &f) {
    using detail::metric_kind;
    w_.begin_object().member("name", f.name).member("description", f.help);
    if (f.kind == metric_kind::histogram && f.name.ends_with("_seconds")) w_.member("unit", "s");
    w_.key(f.kind == metric_kind::counter ? "sum" : f.kind == metric_kind::gauge ? "gauge" : "histogram").begin_object();
    if (f.kind == metric_kind::counter) w_.member("isMonotonic", true);
    if (f.kind != metric_kind::gauge) w_.member("aggregationTemporality", 2);
    w_.key("dataPoints").begin_array();
    for (auto &p : f.points) {
      begin_point(p);
      f.kind == metric_kind::histogram ? buckets(f, p) : void(w_.member("asDouble", p.value));
      w_.end_object();
    }
    w_.end_array().end_object().end_object();
  }

  void buckets(const detail::metric_family &f, const detail::metric_family::point &p) {
    w_.member("count", std::to_string(p.count)).member("sum", p.sum).key("bucketCounts").begin_array();
    for (auto n : p.buckets) w_.value(std::to_string(n));
    w_.end_array().key("explicitBounds").begin_array();
    for (auto bound : f.bounds) w_.value(bound);
    w_.end_array();
  }

  json_writer w_;
  const otlp_source &from_;
  const std::string now_, start_;
};

}  // namespace

std::string otlp_metrics(const std::vector<detail::metric_family> &families, const otlp_source &from,
                         std::chrono::system_clock::time_point now) {
  std::string out;
  otlp_writer(out, from, now).write(families);
  return out;
}

}  // namespace corbel
