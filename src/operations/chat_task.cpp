#include "operations/chat_task.hpp"

#include "json/document.hpp"
#include "json/writer.hpp"
#include "operations/event_text.hpp"

namespace corbel {

namespace {
constexpr json_limits task_limits{.bytes = std::size_t{16} << 20, .depth = 128};
}  // namespace

void chat_task::write_names(json_writer &w) const {
  w.key("meta").begin_object().member("task_id", task_id).member("created_at", created_at);
  w.member("instance_id", instance_id).end_object();
  w.key("routing").begin_object().member("bundle_id", bundle_id).member("session_id", session_id);
  w.member("conversation_id", conversation_id)
      .member("turn_id", turn_id)
      .key("socket_id")
      .text_or_null(stream_id)
      .end_object();
  w.key("actor").begin_object().member("tenant_id", tenant).member("project_id", project).end_object();
  w.key("user").begin_object().member("user_type", user_type).key("user_id").text_or_null(user_id);
  w.key("fingerprint").text_or_null(fingerprint).key("roles").begin_array().end_array();
  w.key("permissions").begin_array().end_array().end_object();
  w.key("accounting").begin_object().key("envelope").begin_object().key("user_id").text_or_null(user_id);
  w.member("session_id", session_id).member("user_type", user_type).member("tenant_id", tenant);
  w.member("project_id", project).member("request_id", request()).member("component", "chat.sse");
  w.member("app_bundle_id", bundle_id).key("metadata").begin_object();
  if (!traceparent.empty()) w.member("traceparent", traceparent);
  w.end_object();
  w.key("seed_system_resources").begin_array().end_array().end_object().end_object();
}

std::string chat_task::json() const {
  std::string out;
  out.reserve(external_events.size() + 1024);
  json_writer w(out);
  w.begin_object();
  write_names(w);
  w.key("request").begin_object().key("external_events").raw(external_events);
  w.key("chat_history").begin_array().end_array().end_object();
  w.key("event").begin_object().member("kind", "message").member("agent_id", "default.react.agent");
  w.member("event_id", event_id).member("sequence", nullptr).member("reactive", true).end_object();
  w.key("bundle_call_context").begin_object().end_object().end_object();
  return out;
}

result<chat_task> chat_task::parse(std::string_view json) {
  auto document = json_document::parse(json, task_limits);
  if (!document) return document.error();
  auto top = document->root().object();
  if (!top) return top.error();
  chat_task t;
  error wrong;
  auto take = [&](const result<json_object> &from, std::string_view key, std::string &into, bool required) {
    if (wrong) return;
    auto found = !from ? result<std::string_view>(from.error()) : required ? from->text(key) : from->text(key, into);
    if (found)
      into = *found;
    else
      wrong = found.error();
  };
  auto meta = top->object("meta"), routing = top->object("routing"), request = top->object("request");
  auto actor = top->object("actor");
  take(meta, "task_id", t.task_id, true);
  take(meta, "instance_id", t.instance_id, false);
  take(routing, "session_id", t.session_id, true);
  take(routing, "bundle_id", t.bundle_id, false);
  take(routing, "conversation_id", t.conversation_id, false);
  take(routing, "turn_id", t.turn_id, false);
  take(routing, "socket_id", t.stream_id, false);
  if (actor) {
    take(actor, "tenant_id", t.tenant, false);
    take(actor, "project_id", t.project, false);
  }
  if (auto user = top->object("user")) {
    take(user, "user_type", t.user_type, false);
    take(user, "user_id", t.user_id, false);
    take(user, "fingerprint", t.fingerprint, false);
  }
  auto accounting = top->object("accounting");
  if (auto envelope = accounting ? accounting->object("envelope") : accounting) {
    take(envelope, "request_id", t.request_id, false);
    if (auto metadata = envelope->object("metadata")) take(metadata, "traceparent", t.traceparent, false);
  }
  t.event_id = t.task_id;
  if (auto event = top->object("event")) take(event, "event_id", t.event_id, false);
  if (wrong) return wrong;
  if (!request) return request.error();
  if (auto at = meta->number("created_at")) t.created_at = *at;
  auto events = request->find("external_events");
  // Lua's JSON writes an empty array as {}.
  if (!events || (events->kind() == json_kind::object && events->object()->members().empty())) {
    t.external_events = "[]";
    return t;
  }
  json_writer(t.external_events).value(*events);
  auto list = events->array();
  if (!list) return list.error();
  for (auto &e : *list) {
    auto event = e.object();
    auto text = event ? event_text(*event) : std::string_view();
    if (text.empty()) continue;
    if (!t.text.empty()) t.text += '\n';
    t.text += text;
  }
  return t;
}

}  // namespace corbel
