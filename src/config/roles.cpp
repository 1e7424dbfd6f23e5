#include "config/roles.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace corbel::detail {

namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char &c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

/// The objects of each role, the ones that count first; what is no object is a fault.
std::map<std::string, layers> by_role(reading_state &state, const std::vector<json_object> &maps, bool fold_case,
                                      const std::vector<bool> &beside) {
  std::map<std::string, layers> roles;
  for (std::size_t i = 0; i < maps.size(); ++i)
    for (auto &[name, value] : maps[i].members()) {
      if ((beside[i] && is_slice_name(name)) || (name == "roles" && value.is_null())) continue;
      auto object = value.object();
      if (!object) {
        state.found.fault(value, "an object with the limits of a role");
        continue;
      }
      const auto role = fold_case ? lower(name) : std::string(name);
      if (std::find(gateway_user_types.begin(), gateway_user_types.end(), role) == gateway_user_types.end())
        state.found.warn(value.path(), fmt::format("no user type of the platform; the nearest one is \"{}\"; kept",
                                                   nearest(role, gateway_user_types)));
      roles[role].objects.push_back(*object);
    }
  return roles;
}

/// `enabled` has words beside true and false: the platform's for no, and their opposites.
bool read_enabled(reading_state &state, const json_value &v, bool &out) {
  constexpr std::array no{"false", "disable", "disabled", "off", "0", "no"};
  constexpr std::array yes{"true", "enable", "enabled", "on", "1", "yes"};
  if (v.is_null()) return true;
  std::string word;
  if (auto b = v.boolean()) word = *b ? "true" : "false";
  if (auto n = v.integer()) word = std::to_string(*n);
  if (auto t = v.text()) word = lower(*t);
  if (std::find(no.begin(), no.end(), word) != no.end()) return out = false, true;
  if (std::find(yes.begin(), yes.end(), word) != yes.end()) return out = true, true;
  state.found.fault(v, "true, false, 1, 0, or one of on, off, yes, no, enabled, disabled, enable, disable");
  return false;
}

}  // namespace

void read_rate_limits(reading_state &state, const std::optional<json_value> &section) {
  auto given = section_layers(section, state.component, true, true, state.found);
  std::vector<json_object> maps;
  std::vector<bool> beside;
  for (std::size_t i = 0; i < given.objects.size(); ++i) {
    const bool is_beside = given.sliced && i + 1 == given.objects.size();
    auto roles = given.objects[i].find("roles");
    if (!roles) {
      maps.push_back(given.objects[i]);
      beside.push_back(is_beside);
      continue;
    }
    layers level{{given.objects[i]}, is_beside};
    check_keys(state, level, {"roles"}, is_beside);
    if (auto o = roles->object()) {
      maps.push_back(*o);
      beside.push_back(false);
    } else {
      state.found.fault(*roles, "an object of roles, or null");
    }
  }
  auto roles = by_role(state, maps, false, beside);
  for (auto &[role, l] : roles) {
    const auto path = "rate_limits." + role;
    auto &limit = state.out.rate_limits[role];
    read_fields(state, l, path, std::span(rate_limit_fields), limit);
    check_keys(state, l, names_of(std::span(rate_limit_fields)), false);
  }
  if (state.out.rate_limits.empty()) state.out.rate_limits = default_rate_limits();
}

void read_publish_limits(reading_state &state, const std::optional<json_value> &section) {
  auto given = section_layers(section, state.component, true, true, state.found);
  check_keys(state, given, {"publish_limits"}, true);
  std::vector<json_object> maps;
  for (auto &o : given.objects) {
    auto limits = o.find("publish_limits");
    if (!limits) continue;
    if (auto map = limits->object())
      maps.push_back(*map);
    else
      state.found.fault(*limits, "an object of roles, or null");
  }
  auto roles = by_role(state, maps, true, std::vector<bool>(maps.size(), false));
  state.out.publish_limits = default_publish_limits();
  const auto registered = state.out.publish_limits.find("registered")->second;
  for (auto &[role, l] : roles) {
    const auto path = "data_bus.publish_limits." + role;
    auto &limit = state.out.publish_limits.try_emplace(role, registered).first->second;
    read_fields(state, l, path, std::span(publish_fields).subspan<1>(), limit);
    if (auto v = l.find("enabled")) {
      if (read_enabled(state, *v, limit.enabled))
        state.from_document(path + ".enabled", *v);
      else
        state.faulty.insert(path + ".enabled");
    }
    check_keys(state, l, names_of(std::span(publish_fields)), false);
  }
}

}  // namespace corbel::detail
