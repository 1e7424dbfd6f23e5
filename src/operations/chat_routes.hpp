#pragma once
/// Routes that put a client's message on the queue:
///
///     POST /sse/chat?stream_id=      {"external_events": [...]}; session: user_session_id, User-Session-ID, the stream's
///
///     POST /api/chat/messages        {"session_id", "text"}
///
/// 200 with task_id and the other names of the task once it is on the queue. 400 for what the client did wrong. 503 with
/// error, retry_after and maybe_applied when the queue could not be reached: sending again with the same event_id is safe.
/// 503 too when it takes no more (see put_refusal), which the stream hears as well.
///
/// Where conversations are kept, the message's is in progress before it is put, and idle again when it could not be put. A
/// message to a conversation that is in progress is put all the same, as its continuation: it waits for the turn to end.

#include "http/router.hpp"
#include "operations/chat_submission.hpp"
#include "operations/conversation_state.hpp"
#include "operations/identity.hpp"
#include "relay/message.hpp"

#include <corbel/queue.hpp>

#include <chrono>
#include <functional>
#include <optional>

namespace corbel {

struct chat_routes {
  host_identity who;
  producer queue;
  /// The session of an open stream of this host; empty when there is none of that id.
  std::function<std::string(const std::string &stream_id)> session_of;
  /// Hears of every task that is on the queue.
  std::function<void(const chat_task &)> accepted = {};
  /// Publishes an event of a session, or tries to; returns at once.
  std::function<void(relay_message)> publish = {};
  conversation_state *conversations = nullptr;  ///< outlives the server; nullptr: none are kept
  /// platform: where the conversations' lanes of events are. A message then is an event of its lane, and a wake-up is put;
  /// none: the task itself is.
  std::optional<redis_pool> lanes = {};
  std::function<queue_admission()> admission = {};  ///< of the queue, as it is now; empty: the defaults
  chat_limits limits = {};
  std::chrono::milliseconds put_timeout{3000};

  static void add(http_router &router, chat_routes routes);
};

}  // namespace corbel
