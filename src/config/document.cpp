// The gateway document as a whole.
#include "json/document.hpp"

#include "base/redact.hpp"
#include "config/checks.hpp"
#include "config/roles.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace corbel {

namespace detail {

namespace {

/// This and its like are never destroyed: I/O threads may still read documents while the process exits.
const std::vector<std::string_view> &root_keys = *new std::vector<std::string_view>{"profile",
                                                                                    "tenant",
                                                                                    "tenant_id",
                                                                                    "project",
                                                                                    "project_id",
                                                                                    "instance_id",
                                                                                    "redis_url",
                                                                                    "rate_limits",
                                                                                    "service_capacity",
                                                                                    "backpressure",
                                                                                    "circuit_breakers",
                                                                                    "monitoring",
                                                                                    "redis",
                                                                                    "pools",
                                                                                    "limits",
                                                                                    "data_bus",
                                                                                    "guarded_rest_patterns",
                                                                                    "bypass_throttling_patterns"};

/// Empty, {{...}}, or one of the names that templates leave behind.
bool is_placeholder(std::string_view text) {
  if (text.empty() || (text.size() >= 4 && text.substr(0, 2) == "{{" && text.substr(text.size() - 2) == "}}")) return true;
  std::string upper(text);
  for (char &c : upper)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  constexpr std::array names{"TENANT_ID", "PROJECT_ID", "DEFAULT_PROJECT_NAME", "TENANT", "PROJECT"};
  return std::find(names.begin(), names.end(), upper) != names.end();
}

class document_reader {
 public:
  document_reader(const json_object &root, const gateway_context &c, std::string component, gateway_settings &out,
                  findings found)
      : root_(root), state_{c, std::move(component), out, found, {}} {
    out.component = state_.component;
    out.publish_limits.clear();
  }

  void read(bool warn) {
    check_keys(state_, {{root_}, false}, root_keys, false);
    read_profile();
    read_scope("tenant", state_.context.tenant, state_.out.tenant);
    read_scope("project", state_.context.project, state_.out.project);
    read_instance();
    read_redis_url();
    read_rate_limits(state_, member("rate_limits"));
    read_publish_limits(state_, member("data_bus"));
    each_section(state_.out, [&](const std::string &name, auto &section, auto fields) {
      const bool sliced = name != "circuit_breakers" && name != "monitoring" && name != "redis";
      auto l = section_layers(member(name), state_.component, sliced, name == "service_capacity", state_.found);
      read_fields(state_, l, name, fields, section);
      check_keys(state_, l, names_of(fields), sliced, formerly(name));
      read_former(name, l);
    });
    read_patterns("guarded_rest_patterns", state_.out.guarded_rest_patterns, default_guarded_patterns());
    read_patterns("bypass_throttling_patterns", state_.out.bypass_throttling_patterns, {});
    check_settings(state_, warn);
  }

 private:
  std::optional<json_value> member(std::string_view name) const { return layers{{root_}, false}.find(name); }
  /// Text that is there and not null; what is no text is a fault.
  std::optional<std::pair<std::string, json_value>> text(std::string_view name) {
    auto v = member(name);
    if (!v || v->is_null()) return {};
    if (auto t = v->text()) return std::pair(std::string(*t), *v);
    state_.found.fault(*v, "text, or null");
    return {};
  }

  void read_profile() {
    auto given = text("profile");
    if (!given || given->first.empty()) return;
    if (std::find(std::begin(profiles), std::end(profiles), given->first) == std::end(profiles))
      return state_.found.fault(given->second, "development, testing, production or load_test");
    state_.out.profile = given->first;
    state_.from_document("profile", given->second);
  }

  void read_scope(const std::string &name, const gateway_context::value &otherwise, std::string &out) {
    auto id = text(name + "_id"), plain = text(name);
    const auto &given = id && !id->first.empty() ? id : plain;
    if (id && plain && !id->first.empty() && !plain->first.empty() && id->first != plain->first)
      state_.found.warn(plain->second.path(), fmt::format("not read, because {} names another one", id->second.path()));
    if (!given || is_placeholder(given->first)) {
      out = otherwise.text;
      if (!otherwise.origin.empty()) state_.out.origins.insert_or_assign(name, setting_origin{otherwise.origin, {}});
      return;
    }
    if (state_.context.update && given->first != otherwise.text)
      return state_.found.fault(given->second, fmt::format("\"{}\": an update cannot move what runs", otherwise.text));
    out = given->first;
    state_.from_document(name, given->second);
  }

  void read_instance() {
    auto &out = state_.out;
    if (!state_.context.update)
      if (auto given = text("instance_id"); given && !given->first.empty()) {
        out.instance_id = given->first;
        state_.from_document("instance_id", given->second);
      }
    take(state_.context.instance_id, "instance_id", out.instance_id);
  }

  void read_redis_url() {
    auto &out = state_.out;
    if (!state_.context.update)
      if (auto v = member("redis_url"); v && !v->is_null()) {
        auto url = v->text();
        constexpr std::array<std::string_view, 4> schemes{"redis://", "rediss://", "unix://", "redis+unix://"};
        const bool sound = url && std::any_of(schemes.begin(), schemes.end(), [&](auto s) { return url->starts_with(s); });
        if (sound) {
          out.redis_url = *url;
          state_.from_document("redis_url", *v);
        } else if (!url || !url->empty()) {  // never the text itself: it may be a password
          state_.found.fault(v->path(), url ? "text that is no such URL" : found_text(*v),
                             "a URL that begins with redis://, rediss:// or unix://, or null");
        }
      }
    take(state_.context.redis_url, "redis_url", out.redis_url);
  }

  void take(const std::optional<gateway_context::value> &given, const char *name, std::string &out) {
    if (!given) return;
    out = given->text;
    if (given->origin.empty())
      state_.out.origins.erase(name);
    else
      state_.out.origins.insert_or_assign(name, setting_origin{given->origin, {}});
  }

  /// Keys that were renamed.
  static std::vector<std::string_view> formerly(const std::string &section) {
    if (section == "service_capacity") return {"concurrent_per_process", "avg_processing_time"};
    if (section == "limits") return {"max_integrations_concurrency"};
    return {};
  }
  void read_former(const std::string &section, const layers &l) {
    if (section == "service_capacity") {
      if (auto v = l.find("concurrent_per_process"))
        state_.found.warn(v->path(), "not read any more: write concurrent_requests_per_process");
      if (auto v = l.find("avg_processing_time"))
        state_.found.warn(v->path(), "not read any more: write avg_processing_time_seconds");
    }
    auto former = section == "limits" ? l.find("max_integrations_concurrency") : std::nullopt;
    if (!former) return;
    if (l.find("max_integrations_ops_concurrency"))
      return state_.found.warn(former->path(), "not read, because max_integrations_ops_concurrency stands beside it");
    if (former->is_null()) return;
    if (read_value(*former, limit_rule, state_.out.limits.max_integrations_ops_concurrency, state_.found))
      state_.from_document("limits.max_integrations_ops_concurrency", *former);
  }

  void read_patterns(const std::string &name, std::vector<std::string> &out, const std::vector<std::string> &otherwise) {
    out = otherwise;
    auto given = member(name);
    if (!given || given->is_null()) return;
    if (auto o = given->object()) {
      layers whole{{*o}, true};
      check_keys(state_, whole, {}, true);
      given = slice_for(*o, state_.component, state_.found);
      if (!given || given->is_null()) return;
    }
    auto list = given->array();
    if (!list) return state_.found.fault(*given, "a list of texts, or null");
    std::vector<std::string> patterns;
    for (auto &element : *list) {
      auto t = element.text();
      if (!t)
        state_.found.fault(element, "text");
      else if (t->empty())
        state_.found.warn(element.path(), "empty, left out");
      else
        patterns.emplace_back(*t);
    }
    if (patterns.empty()) return;
    out = std::move(patterns);
    state_.from_document(name, *given);
  }

  json_object root_;
  reading_state state_;
};

}  // namespace
}  // namespace detail

gateway_reading read_gateway(std::string_view json, const gateway_context &context) {
  gateway_reading r;
  r.source = context.source;
  detail::findings found(r.faults, r.warnings);
  auto document = json_document::parse(json);
  if (!document) {
    r.faults.push_back({"", document.error().message(), "one JSON object"});
    return r;
  }
  auto root = document->root();
  auto object = root.object();
  if (object && context.rooted)
    if (auto below = object->find("gateway")) {
      root = *below;
      object = root.object();
    }
  if (!object) {
    found.fault(root, "an object");
    return r;
  }
  const auto own = component_name(context.component);
  detail::document_reader(*object, context, own, r.settings, found).read(true);
  // The other components read the same document: what is wrong for them is wrong for all.
  for (const char *other : {"ingress", "proc"}) {
    gateway_settings theirs;
    if (own != other) detail::document_reader(*object, context, other, theirs, found).read(false);
  }
  return r;
}

std::string gateway_fault::text() const {
  return fmt::format("{}{}found {}; allowed: {}", path, path.empty() ? "" : ": ", found, allowed);
}

error gateway_reading::why() const {
  if (faults.empty()) return {};
  std::string all;
  for (auto &f : faults) all += (all.empty() ? "" : "; ") + ("[" + f.text() + "]");
  return error(status::invalid,
               fmt::format("{} {} in {}: {}", faults.size(), faults.size() == 1 ? "fault" : "faults", source, all), "config",
               "DOCUMENT");
}

}  // namespace corbel
