#include "operations/turn_events.hpp"

#include "base/utc_time.hpp"
#include "json/writer.hpp"
#include "operations/chat_event.hpp"

#include <chrono>

namespace corbel {

relay_message conversation_status(const chat_task &task, std::string_view state, std::string_view completion) {
  using namespace std::chrono;
  const auto now = system_clock::now();
  relay_message m;
  m.id = task.task_id + ":conv.status:" + std::string(completion.empty() ? state : completion);
  m.session_id = task.session_id;
  m.event = "conv_status";
  m.timestamp = duration<double>(now.time_since_epoch()).count();
  json_writer w(m.data);
  w.begin_object().member("type", "conv.status").member("timestamp", detail::utc_text(now));
  w.member("ts", duration_cast<milliseconds>(now.time_since_epoch()).count());
  w.key("service").begin_object().member("request_id", task.request()).member("tenant", task.tenant);
  w.member("project", task.project).key("user").text_or_null(task.user_id).member("bundle_id", task.bundle_id).end_object();
  w.key("conversation").begin_object().member("session_id", task.session_id);
  w.member("conversation_id", task.conversation_id).member("turn_id", task.turn_id).end_object();
  w.key("event").begin_object().member("step", "conv.state").member("status", state).end_object();
  w.key("data").begin_object().member("state", state).member("updated_at", detail::utc_text(now));
  w.member("current_turn_id", task.turn_id);
  if (!completion.empty()) w.member("completion", completion);
  w.key("origin_stream_id").text_or_null(task.stream_id).end_object().end_object();
  return m;
}

relay_message turn_interrupted(const chat_task &task) {
  constexpr std::string_view reason = "worker_lost_after_start";
  std::string data;
  json_writer(data)
      .begin_object()
      .member("error", "The turn was interrupted before it was complete (worker_lost_after_start).")
      .member("task_id", task.task_id)
      .member("error_type", "turn_interrupted")
      .member("reason", reason)
      .end_object();
  return chat_event(task, {.type = "chat.error", .status = "error", .title = "Interrupted", .data = data});
}

}  // namespace corbel
