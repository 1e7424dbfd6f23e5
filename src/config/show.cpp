// The effective settings for a reader: as JSON, as a table, as a document, as a list of changes.
#include "base/code_point.hpp"
#include "base/redact.hpp"
#include "config/schema.hpp"
#include "json/writer.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace corbel {

namespace {

using detail::each_section;

template <class T>
void write(json_writer &w, const std::optional<T> &v) {
  if (v)
    w.value(*v);
  else
    w.value(nullptr);
}
template <class T>
void write(json_writer &w, const T &v) {
  w.value(v);
}

template <class S, std::size_t N>
void write_fields(json_writer &w, const S &s, std::span<const detail::field<S>, N> fields) {
  for (auto &f : fields) {
    w.key(f.name);
    std::visit([&](auto at) { write(w, s.*at); }, f.at);
  }
}

template <class S, std::size_t N>
void write_roles(json_writer &w, const std::map<std::string, S, std::less<>> &roles,
                 std::span<const detail::field<S>, N> fields) {
  w.begin_object();
  for (auto &[role, limits] : roles) {
    w.key(role).begin_object();
    write_fields(w, limits, fields);
    w.end_object();
  }
  w.end_object();
}

void write_list(json_writer &w, const char *key, const std::vector<std::string> &list) {
  w.key(key).begin_array();
  for (auto &text : list) w.value(text);
  w.end_array();
}

/// What takes the place of a value that was not given.
gateway_settings effective(gateway_settings s) {
  s.service_capacity.concurrent_requests_per_instance = s.concurrent_requests_per_instance();
  s.pools.pg_pool_min_size = s.pg_pool_min();
  s.pools.pg_pool_max_size = s.pg_pool_max();
  return s;
}

void write_document(json_writer &w, const gateway_settings &s) {
  w.member("profile", s.profile).member("tenant", s.tenant).member("project", s.project);
  w.key("rate_limits").begin_object().key("roles");
  write_roles(w, s.rate_limits, std::span(detail::rate_limit_fields));
  w.end_object();
  each_section(s, [&](const char *name, auto &section, auto fields) {
    w.key(name).begin_object();
    write_fields(w, section, fields);
    w.end_object();
  });
  w.key("data_bus").begin_object().key("publish_limits");
  write_roles(w, s.publish_limits, std::span(detail::publish_fields));
  w.end_object();
  write_list(w, "guarded_rest_patterns", s.guarded_rest_patterns);
  write_list(w, "bypass_throttling_patterns", s.bypass_throttling_patterns);
}

struct line {
  std::string path, value, origin;
};

/// Where a value that stands in no source came from.
std::string origin_text(const gateway_settings &s, const std::string &path) {
  if (auto it = s.origins.find(path); it != s.origins.end()) return it->second.text();
  if (path == "service_capacity.concurrent_requests_per_instance") return "derived: per process x processes";
  if (path == "pools.pg_pool_max_size") return "derived: concurrent_requests_per_process";
  return "default";
}

/// Every value with its path without slices, in the document's order.
std::vector<line> lines_of(const gateway_settings &s) {
  std::vector<line> all;
  auto add = [&](std::string path, auto &&put) {
    std::string value;
    json_writer w(value);
    put(w);
    auto origin = origin_text(s, path);
    all.push_back({std::move(path), std::move(value), std::move(origin)});
  };
  auto add_text = [&](const char *path, const std::string &text) { add(path, [&](json_writer &w) { w.value(text); }); };
  auto add_fields = [&](const std::string &at, const auto &section, auto fields) {
    for (auto &f : fields)
      add(at + "." + f.name, [&](json_writer &w) { std::visit([&](auto member) { write(w, section.*member); }, f.at); });
  };
  add_text("component", s.component);
  add_text("profile", s.profile);
  add_text("tenant", s.tenant);
  add_text("project", s.project);
  add_text("instance_id", s.instance_id);
  add_text("redis_url", detail::redact_url(s.redis_url));
  for (auto &[role, limit] : s.rate_limits) add_fields("rate_limits." + role, limit, std::span(detail::rate_limit_fields));
  each_section(s, [&](const char *name, auto &section, auto fields) { add_fields(name, section, fields); });
  for (auto &[role, limit] : s.publish_limits)
    add_fields("data_bus.publish_limits." + role, limit, std::span(detail::publish_fields));
  add("guarded_rest_patterns", [&](json_writer &w) {
    w.begin_array();
    for (auto &p : s.guarded_rest_patterns) w.value(p);
    w.end_array();
  });
  add("bypass_throttling_patterns", [&](json_writer &w) {
    w.begin_array();
    for (auto &p : s.bypass_throttling_patterns) w.value(p);
    w.end_array();
  });
  return all;
}

void write_derived(json_writer &w, const gateway_settings &s) {
  const auto d = s.derived();
  w.key("derived").begin_object();
  w.member("total_concurrent", d.total_concurrent).member("effective_concurrent", d.effective_concurrent);
  w.member("queue_capacity", d.queue_capacity).member("total_capacity_per_instance", d.total_capacity_per_instance);
  w.member("requests_per_hour_per_instance", d.requests_per_hour_per_instance);
  w.member("threshold_anonymous", d.threshold_anonymous).member("threshold_registered", d.threshold_registered);
  w.member("threshold_paid", d.threshold_paid).member("threshold_hard", d.threshold_hard);
  w.end_object();
  const auto c = s.connections();
  w.key("connections").begin_object();
  w.member("redis_pools_per_process", c.redis_pools_per_process).member("pg_conns_per_instance", c.pg_conns_per_instance);
  w.key("redis_conns_per_instance");
  write(w, c.redis_conns_per_instance);
  w.end_object();
}

}  // namespace

std::string settings_json(const gateway_settings &given) {
  const auto s = effective(given);
  std::string out;
  json_writer w(out);
  w.begin_object().member("component", s.component).member("display_name", s.display_name());
  w.member("instance_id", s.instance_id).member("redis_url", detail::redact_url(s.redis_url));
  write_document(w, s);
  write_derived(w, s);
  w.key("origins").begin_object();
  for (auto &l : lines_of(s)) w.member(l.path, l.origin);
  w.end_object().end_object();
  return out;
}

std::string settings_table(const gateway_settings &given) {
  const auto lines = lines_of(effective(given));
  std::size_t path = 0, value = 0;
  for (auto &l : lines) {
    path = std::max(path, l.path.size());
    value = std::max(value, std::min<std::size_t>(l.value.size(), 32));
  }
  std::string out;
  for (auto &l : lines)
    out += detail::one_line(fmt::format("{:<{}}  {:<{}}  {}", l.path, path, l.value, value, l.origin)) + "\n";
  return out;
}

std::string settings_document(const gateway_settings &s) {
  std::string out;
  json_writer w(out);
  w.begin_object();
  write_document(w, s);
  w.member("tenant_id", s.tenant).member("project_id", s.project).end_object();
  return out;
}

std::vector<std::string> settings_changes(const gateway_settings &before, const gateway_settings &after) {
  std::map<std::string, std::string> old;
  for (auto &l : lines_of(before)) old.emplace(std::move(l.path), std::move(l.value));
  std::vector<std::string> changes;
  for (auto &l : lines_of(after)) {
    auto it = old.find(l.path);
    if (it == old.end()) {
      changes.push_back(fmt::format("{}: {}", l.path, l.value));
      continue;
    }
    if (it->second != l.value) changes.push_back(fmt::format("{}: {} -> {}", l.path, it->second, l.value));
    old.erase(it);
  }
  for (auto &[path, value] : old) changes.push_back(fmt::format("{}: {} -> gone", path, value));
  return changes;
}

}  // namespace corbel
