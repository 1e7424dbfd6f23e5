#pragma once
/// What a client submits, read into a task. Pure; any thread.
///
/// Errors are what the client did wrong: status::invalid with the platform's error_type as native() and one line.

#include "operations/chat_task.hpp"

#include <corbel/result.hpp>

#include <cstddef>
#include <string_view>

namespace corbel {

struct chat_limits {
  std::size_t text = 32000;  ///< code points of all events together
  std::size_t events = 64;
};

/// Body of POST /sse/chat: {"external_events": [...], "conversation_id"?, "bundle_id"?}. Fills what the client decides:
/// event_id (its first event's, where it has one), conversation_id, bundle_id, external_events, text.
result<chat_task> read_chat_submission(std::string_view body, const chat_limits &limits = {});

/// Body of POST /api/chat/messages: {"session_id", "text", "event_id"?, "conversation_id"?, "bundle_id"?}, as the one event
/// that it means.
result<chat_task> read_plain_message(std::string_view body, const chat_limits &limits = {});

/// An id that a client chose and that becomes part of a channel's name or of a frame: 1 to 128 printable ASCII characters
/// without space.
bool is_client_id(std::string_view id) noexcept;

}  // namespace corbel
