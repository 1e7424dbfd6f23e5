#pragma once
/// One event of a session, as it travels on the session's channel. Pure; any thread.

#include <corbel/result.hpp>

#include <string>
#include <string_view>

namespace corbel {

struct relay_message {
  std::string id = {};  ///< the same for every copy of this event; empty where the sender does not know ids
  std::string session_id = {};
  std::string event = {};       ///< "chat_step"
  std::string data = {};        ///< JSON on one line
  std::string target_sid = {};  ///< the one stream that it is for; empty: all of the session
  double timestamp = 0;         ///< seconds since 1970

  /// {"id": ..., "target_sid": ..., "session_id": ..., "event": ..., "data": ..., "timestamp": ...}
  std::string json() const;
  static result<relay_message> parse(std::string_view json);
};

}  // namespace corbel
