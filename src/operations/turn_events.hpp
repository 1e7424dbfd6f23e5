#pragma once
/// What a session hears of its turns beside the worker's own events, in the platform's envelopes. Pure but for the clock;
/// any thread.

#include "operations/chat_task.hpp"
#include "relay/message.hpp"

#include <string_view>

namespace corbel {

/// conv_status: the conversation's state changed. state: "created", "in_progress", "idle", "error"; completion: "success",
/// "error", "rollback", "interrupted", or empty where no turn has ended.
relay_message conversation_status(const chat_task &task, std::string_view state, std::string_view completion = {});

/// chat_error: the worker died after the turn had begun, and it is not run again.
relay_message turn_interrupted(const chat_task &task);

}  // namespace corbel
