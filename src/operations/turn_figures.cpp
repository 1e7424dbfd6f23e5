#include "operations/turn_figures.hpp"

#include "json/document.hpp"
#include "json/writer.hpp"

namespace corbel {

turn_figures::one &turn_figures::of(const std::string &bundle) {
  const auto &id = bundle.empty() ? "none" : bundle;
  if (all_.size() >= most && !all_.contains(id)) return all_["other"];
  return all_[id];
}

void turn_figures::ended(const std::string &bundle, bool good, std::chrono::nanoseconds took) {
  auto &o = of(bundle);
  ++o.turns;
  o.errors += good ? 0 : 1;
  o.time += took;
  o.durations->record(took);
}

void turn_figures::economics(const std::string &bundle, std::string json) {
  auto document = json_document::parse(json);
  if (document && document->root().kind() == json_kind::object) of(bundle).economics = std::move(json);
}

std::string turn_figures::json() const {
  std::string out;
  json_writer w(out);
  w.begin_object();
  for (auto &[id, o] : all_) {
    w.key(id).begin_object().member("turns", o.turns).member("errors", o.errors);
    w.member("seconds", std::chrono::duration<double>(o.time).count()).key("economics");
    o.economics.empty() ? w.value(nullptr) : w.raw(o.economics);
    w.end_object();
  }
  w.end_object();
  return out;
}

void turn_figures::write_metrics(detail::metrics_writer &to) const {
  for (auto &[id, o] : all_) {
    const detail::metric_labels label{{"bundle", id}};
    to.counter("corbel_bundle_turns_total", "Turns that a bundle ended.", label, static_cast<double>(o.turns));
    to.counter("corbel_bundle_turn_errors_total", "Turns of a bundle that ended badly.", label,
               static_cast<double>(o.errors));
    to.histogram("corbel_bundle_turn_seconds", "How long turns took.", label, *o.durations);
  }
}

}  // namespace corbel
