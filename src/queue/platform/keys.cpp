#include "queue/platform/keys.hpp"

#include <fmt/format.h>

namespace corbel::detail {

namespace {

constexpr std::string_view default_agent = "default.react.agent", spaces = " \t\n\v\f\r";

bool stays(char c) noexcept {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '@' ||
         c == '-';
}

}  // namespace

platform_keys::platform_keys(const std::string &tenant, const std::string &project) {
  const auto scope = fmt::format("{}:{}:", tenant, project);
  events = scope + "kdcube:chat:conversation:external-events";
  for (const auto type : platform_lanes) ready.push_back(fmt::format("{}kdcube:chat:prompt:queue:{}", scope, type));
  all = ready;
  for (const auto type : platform_lanes) all.push_back(fmt::format("{}kdcube:chat:prompt:queue:inflight:{}", scope, type));
  all.push_back(scope + "corbel:queue");
  all.push_back(scope + "kdcube:lock");
  all.push_back(events);
  all.push_back(tenant);
  all.push_back(project);
  all.push_back(scope + "kdcube:system:capacity:counter");
  for (const auto type : platform_lanes)
    all.push_back(fmt::format("{}kdcube:chat:conversation:mailbox:count:{}", scope, type));
}

std::string safe_part(std::string_view s) {
  const auto first = s.find_first_not_of(spaces);
  if (first == s.npos) return "_";
  s = s.substr(first, s.find_last_not_of(spaces) - first + 1);
  std::string out;
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (stays(s[i]))
      out += s[i];
    else if (i == 0 || stays(s[i - 1]))
      out += '_';
  }
  return out;
}

std::string event_lane_id(std::string_view conversation, std::string_view user, std::string_view agent) {
  if (agent.empty()) agent = default_agent;
  if (user.empty() && agent == default_agent) return safe_part(conversation);
  return fmt::format("{}:user:{}:agent:{}", safe_part(conversation), safe_part(user), safe_part(agent));
}

}  // namespace corbel::detail
