#include "relay/channel.hpp"

#include <fmt/format.h>

namespace corbel {

std::string relay_channel(const relay_scope &scope, std::string_view session) {
  if (scope.tenant.empty() && scope.project.empty()) return fmt::format("{}.chat.events.{}", scope.identity, session);
  auto part = [](const std::string &s) { return s.empty() ? std::string_view("-") : std::string_view(s); };
  return fmt::format("{}.{}:{}:chat.events.{}", scope.identity, part(scope.tenant), part(scope.project), session);
}

std::string relay_recent_key(std::string_view channel) { return std::string(channel) + ":recent"; }

}  // namespace corbel
