#include "config/layers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace corbel {

std::string component_name(std::string_view name) {
  std::string c;
  for (char x : name)
    if (x != ' ' && x != '\t') c += x >= 'A' && x <= 'Z' ? static_cast<char>(x - 'A' + 'a') : x;
  constexpr std::array proc{"proc", "processor", "worker", "chat-proc", "chat_proc"};
  constexpr std::array ingress{"", "ingress", "rest", "chat-rest", "chat_rest"};
  if (std::find(proc.begin(), proc.end(), c) != proc.end()) return "proc";
  if (std::find(ingress.begin(), ingress.end(), c) != ingress.end()) return "ingress";
  return c;
}

namespace detail {

bool is_slice_name(std::string_view key) noexcept {
  return std::find(slice_names.begin(), slice_names.end(), key) != slice_names.end();
}

namespace {

std::optional<json_value> last_named(const json_object &o, std::string_view key) {
  std::optional<json_value> found;
  for (auto &[name, value] : o.members())
    if (name == key) found = value;
  return found;
}

}  // namespace

std::vector<std::pair<std::string_view, json_value>> layers::members() const {
  std::vector<std::pair<std::string_view, json_value>> all;
  for (std::size_t i = 0; i < objects.size(); ++i) {
    const bool beside = sliced && i + 1 == objects.size();
    for (auto &[name, value] : objects[i].members())
      if (!beside || !is_slice_name(name)) all.emplace_back(name, value);
  }
  return all;
}

std::optional<json_value> layers::find(std::string_view key) const {
  for (auto &o : objects)
    if (auto v = last_named(o, key)) return v;
  return {};
}

bool has_slices(const json_object &section) {
  auto all = section.members();
  return std::any_of(all.begin(), all.end(), [](auto &m) { return is_slice_name(m.first); });
}

std::optional<json_value> slice_for(const json_object &section, std::string_view component, findings &found) {
  constexpr std::array<std::string_view, 3> proc{"proc", "processor", "worker"};
  std::optional<json_value> of_proc;
  std::string_view first;
  for (auto name : proc) {
    auto v = last_named(section, name);
    if (v && of_proc)
      found.warn(v->path(), fmt::format("not read, because \"{}\" stands beside it and means the same component", first));
    if (v && !of_proc) {
      of_proc = v;
      first = name;
    }
  }
  if (component == "proc" && of_proc) return of_proc;
  if (auto v = last_named(section, "ingress")) return v;
  for (auto &[name, value] : section.members())
    if (is_slice_name(name) && value.kind() == json_kind::object) return value;
  return {};
}

layers section_layers(const std::optional<json_value> &section, std::string_view component, bool may_slice,
                      bool null_is_absent, findings &found) {
  layers l;
  const std::string allowed = null_is_absent ? "an object, or null" : "an object";
  auto add = [&](const json_value &v) {
    if (auto o = v.object())
      l.objects.push_back(*o);
    else if (!null_is_absent || !v.is_null())
      found.fault(v, allowed);
  };
  if (!section) return l;
  auto whole = section->object();
  if (!whole || !may_slice || !has_slices(*whole)) {
    add(*section);
    return l;
  }
  l.sliced = true;
  if (auto slice = slice_for(*whole, component, found)) add(*slice);
  l.objects.push_back(*whole);
  return l;
}

}  // namespace detail
}  // namespace corbel
