#include "operations/chat_event.hpp"

#include "base/utc_time.hpp"
#include "json/writer.hpp"

#include <algorithm>
#include <chrono>

namespace corbel {

relay_message chat_event(const chat_task &task, const chat_step &step) {
  using namespace std::chrono;
  auto now = system_clock::now();
  relay_message m;
  m.id = task.event_id + ":" + step.type + (step.step.empty() ? "" : ":" + step.step);
  m.session_id = task.session_id;
  m.target_sid = task.stream_id;
  m.event = step.route.empty() ? step.type : step.route;
  std::replace(m.event.begin(), m.event.end(), '.', '_');
  m.timestamp = duration<double>(now.time_since_epoch()).count();
  json_writer w(m.data);
  w.begin_object().member("type", step.type).member("timestamp", detail::utc_text(now));
  w.member("ts", duration_cast<milliseconds>(now.time_since_epoch()).count());
  w.key("service").begin_object().member("request_id", task.request()).member("tenant", task.tenant);
  w.member("project", task.project).key("user").text_or_null(task.user_id).end_object();
  w.key("conversation").begin_object().member("session_id", task.session_id);
  w.member("conversation_id", task.conversation_id).member("turn_id", task.turn_id).end_object();
  w.key("event").begin_object().member("agent", step.agent).member("step", step.step);
  w.member("status", step.status).member("title", step.title).end_object();
  w.key("data").raw(step.data);
  if (!step.route.empty()) w.member("route", step.route);
  w.end_object();
  return m;
}

}  // namespace corbel
