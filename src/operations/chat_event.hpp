#pragma once
/// Events that a worker publishes about a task, in the platform's envelope. Pure but for the clock; any thread.

#include "operations/chat_task.hpp"
#include "relay/message.hpp"

#include <string>
#include <string_view>

namespace corbel {

struct chat_step {
  std::string type = "chat.step";  ///< "chat.start", "chat.step", "chat.complete", "chat.error"
  std::string agent = "default";
  std::string step = {}, status = {}, title = {};
  std::string data = "{}";  ///< JSON
  std::string route = {};   ///< the event's name where it is not made of the type: "chat_service"
};

/// The message for the session's channel. Its id is made of the event's, the type and the step: when a task is worked twice,
/// readers know the second answer for the first one's copy.
relay_message chat_event(const chat_task &task, const chat_step &step);

}  // namespace corbel
