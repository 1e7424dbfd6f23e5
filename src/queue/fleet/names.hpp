#pragma once
/// src/queue/fleet owns the heartbeats of the processes that work queues: writing them, and what admission counts of them.
/// Callers: queue_heartbeat, fleet_watch. Thread: each file says.
///
/// The platform's names of heartbeats and of what lists them. Pure; any thread.

#include <string>
#include <string_view>
#include <utility>

namespace corbel::detail {

/// A component as settings name it, as service type and name: "a:b" is {a, b}, and "chat" and "proc" stand in for an empty
/// one; proc, processor, chat-proc and chat_proc are {chat, proc}; ingress, rest, chat-rest and chat_rest {chat, rest};
/// another name x is {chat, x}. Case does not count.
std::pair<std::string, std::string> service_of(std::string_view component);

struct fleet_names {
  /// Empty names of tenant and project are "home" and "default-project".
  fleet_names(std::string tenant, std::string project, std::string_view component);

  std::string type, name;
  std::string index;           ///< ZSET process key -> when it was last heard
  std::string instance_index;  ///< ZSET instance key -> when
  std::string draining_index;  ///< ZSET draining key -> when

  std::string process(std::string_view instance, long pid) const;
  std::string processes(std::string_view instance) const;  ///< begin of the keys of all processes of an instance
  std::string instance(std::string_view instance) const;
  /// SET of "localhost:<port>" where processes of the instance can be asked.
  std::string registry(std::string_view instance) const;
  /// life: tells the processes apart that had the same pid one after another.
  std::string draining(std::string_view instance, long pid, std::string_view life) const;

 private:
  std::string scope_;
};

}  // namespace corbel::detail
