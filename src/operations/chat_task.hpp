#pragma once
/// One task of the chat queue: what ingress puts and proc works, in the platform's shape (meta, routing, actor, user,
/// request, event). Pure; any thread.

#include <corbel/result.hpp>

#include <string>
#include <string_view>

namespace corbel {

class json_writer;

struct chat_task {
  std::string task_id = {};
  double created_at = 0;  ///< seconds since 1970
  std::string instance_id = {};
  std::string bundle_id = "default";
  std::string session_id = {}, conversation_id = {}, turn_id = {};
  std::string stream_id = {};  ///< routing.socket_id: the one stream that gets the events; empty: all of the session
  std::string tenant = {}, project = {};
  std::string user_type = "anonymous";
  std::string user_id = {}, fingerprint = {};  ///< empty: not known
  std::string request_id = {};                 ///< of the accounting envelope; empty: task_id
  std::string event_id = {};                   ///< the client's name of the event: the same when it is sent again
  std::string external_events = {};            ///< JSON array, complete
  std::string text = {};                       ///< what the events say, in order, a line for each; read from external_events
  std::string traceparent = {};                ///< W3C, of the request that it came with; in the envelope's metadata

  /// Whose conversation it is: user_id, else fingerprint, else the session.
  const std::string &owner() const noexcept {
    return !user_id.empty() ? user_id : !fingerprint.empty() ? fingerprint : session_id;
  }
  const std::string &request() const noexcept { return request_id.empty() ? task_id : request_id; }

  std::string json() const;
  /// What every item of the queue has: meta, routing, actor, user, accounting.
  void write_names(json_writer &w) const;
  /// A task that was put by ingress, or by others in the same shape.
  static result<chat_task> parse(std::string_view json);
};

}  // namespace corbel
