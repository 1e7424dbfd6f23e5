#include "operations/turn_figures.hpp"

#include "json/document.hpp"
#include "json/writer.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>

namespace corbel {

namespace {

bool is_name(std::string_view s) {
  return !s.empty() && s.size() <= 40 && std::ranges::all_of(s, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

}  // namespace

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

void turn_figures::economics(const std::string &bundle, const std::string &json) {
  const auto document = json_document::parse(json);
  const auto object = document ? document->root().object() : result<json_object>(document.error());
  if (!object) return;
  auto &sums = of(bundle).economics;
  for (const auto &[name, value] : object->members()) {
    const auto number = value.number();
    if (!number || !(*number >= 0) || !is_name(name)) continue;
    const auto it = sums.find(name);
    if (it != sums.end())
      it->second += *number;
    else if (sums.size() < most_economics)
      sums.emplace(name, *number);
  }
}

std::string turn_figures::json() const {
  std::string out;
  json_writer w(out);
  w.begin_object();
  for (auto &[id, o] : all_) {
    w.key(id).begin_object().member("turns", o.turns).member("errors", o.errors);
    w.member("seconds", std::chrono::duration<double>(o.time).count()).key("economics").begin_object();
    for (const auto &[name, sum] : o.economics)
      sum == std::floor(sum) && sum < 1e15 ? w.member(name, static_cast<std::int64_t>(sum)) : w.member(name, sum);
    w.end_object().end_object();
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
    for (const auto &[name, sum] : o.economics)
      to.counter("corbel_bundle_economics_total", "What handlers reported of economics, by name.",
                 {{"bundle", id}, {"what", name}}, sum);
  }
}

}  // namespace corbel
