#pragma once
/// Names of the channel that carries a session's events, and of the list that keeps the latest of them. Pure; any thread.

#include <string>
#include <string_view>

namespace corbel {

/// Whose channels: the platform's identity, tenant and project.
struct relay_scope {
  std::string identity = "kdcube.relay.chatbot";
  std::string tenant = "home";
  std::string project = "default-project";
};

/// "{identity}.{tenant}:{project}:chat.events.{session}". A missing tenant or project is "-"; when both are missing there
/// is neither of them nor a colon.
std::string relay_channel(const relay_scope &scope, std::string_view session);

/// The key of a channel's recent messages.
std::string relay_recent_key(std::string_view channel);

}  // namespace corbel
