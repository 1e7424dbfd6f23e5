#include "queue/platform/payload.hpp"

#include "json/document.hpp"
#include "json/writer.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace corbel::detail {

namespace {

constexpr json_limits task_limits{.bytes = std::size_t{64} << 20, .depth = 512};
constexpr std::array<std::string_view, 5> of_the_event{"kind", "agent_id", "event_source_id", "event_id", "sequence"};
constexpr std::string_view source = "processor.external_event_lane_wakeup";

std::optional<json_object> object_in(const json_object &o, std::string_view key) {
  const auto value = o.find(key);
  if (!value || value->kind() != json_kind::object) return {};
  return *value->object();
}

std::string text_in(const std::optional<json_object> &o, std::string_view key) {
  if (!o) return {};
  const auto value = o->find(key);
  if (!value || value->kind() != json_kind::text) return {};
  return std::string(*value->text());
}

/// Lua's JSON writes an empty array as {}.
bool is_array(std::string_view path) {
  return path == "request.external_events" || path == "request.chat_history" || path == "user.roles" ||
         path == "user.permissions";
}

void write_member(json_writer &w, std::string_view within, std::string_view name, const json_value &value) {
  w.key(name);
  if (value.kind() == json_kind::object && value.object()->members().empty() && is_array(std::string(within).append(name)))
    w.begin_array().end_array();
  else
    w.value(value);
}

/// The members of an object inside the task, as they are.
void write_object(json_writer &w, std::string_view name, const json_object &o) {
  w.key(name).begin_object();
  const auto within = std::string(name) + ".";
  for (const auto &[key, value] : o.members()) write_member(w, within, key, value);
  w.end_object();
}

void write_event(json_writer &w, const std::optional<json_object> &event, const json_object &record) {
  w.key("event").begin_object();
  for (const auto name : of_the_event) {
    auto value = record.find(name);
    if (!value && event) value = event->find(name);
    w.key(name);
    if (value)
      w.value(*value);
    else
      w.value(nullptr);
  }
  w.member("source", source);
  if (event) {
    for (const auto &[key, value] : event->members())
      if (key != "source" && std::find(of_the_event.begin(), of_the_event.end(), key) == of_the_event.end())
        w.member(key, value);
  }
  w.end_object();
}

void write_context(json_writer &w, const std::optional<json_object> &context, const json_value &wake_up) {
  w.key("bundle_call_context").begin_object();
  if (context) {
    for (const auto &[key, value] : context->members())
      if (key != "event_lane_wakeup") w.member(key, value);
  }
  w.member("event_lane_wakeup", wake_up).end_object();
}

}  // namespace

result<platform_task> read_platform_task(std::string_view json) {
  auto document = json_document::parse(json, task_limits);
  if (!document) return document.error();
  auto top = document->root().object();
  if (!top) return top.error();
  platform_task t;
  t.id = text_in(object_in(*top, "meta"), "task_id");
  if (t.id.empty()) t.id = text_in(*top, "task_id");
  if (t.id.empty()) return error(status::invalid, "meta.task_id: is missing");
  t.user_type = text_in(object_in(*top, "user"), "user_type");
  const auto routing = object_in(*top, "routing");
  t.conversation = text_in(routing, "conversation_id");
  if (t.conversation.empty()) t.conversation = text_in(routing, "session_id");
  if (t.conversation.empty()) t.conversation = text_in(object_in(*top, "event_lane"), "conversation_id");
  return t;
}

std::string resolve_wake_up(std::string_view record, std::string_view wake_up) {
  const auto event = json_document::parse(record, task_limits);
  const auto wake = json_document::parse(wake_up, task_limits);
  if (!event || !wake || event->root().kind() != json_kind::object) return {};
  const auto top = *event->root().object();
  const auto task = object_in(top, "task_payload");
  if (!task) return {};
  std::string out;
  out.reserve(record.size() + wake_up.size());
  json_writer w(out);
  w.begin_object();
  for (const auto &[key, value] : task->members()) {
    if (key == "event" || key == "bundle_call_context") continue;
    if (value.kind() == json_kind::object)
      write_object(w, key, *value.object());
    else
      w.member(key, value);
  }
  write_event(w, object_in(*task, "event"), top);
  write_context(w, object_in(*task, "bundle_call_context"), wake->root());
  w.end_object();
  return out;
}

}  // namespace corbel::detail
