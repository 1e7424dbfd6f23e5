/// What goes to handlers and what becomes of what they say.

#include "json/document.hpp"
#include "json/writer.hpp"
#include "operations/bundle_turn.hpp"
#include "operations/chat_event.hpp"

#include <algorithm>

namespace corbel {

namespace {
constexpr json_limits limits{.bytes = std::size_t{16} << 20, .depth = 128};
}  // namespace

result<std::string> choose_bundle(const bundle_registry &registry, const std::string &wanted) {
  const auto is_there = [&registry](const std::string &id) {
    return std::ranges::any_of(registry.entries, [&id](const auto &e) { return e.id == id; });
  };
  if (!wanted.empty() && is_there(wanted)) return wanted;
  if ((wanted.empty() || wanted == "default") && is_there(registry.default_id)) return registry.default_id;
  if (registry.entries.empty())
    return error(status::unavailable, "no bundle is listed, or the list was not read yet", "bundle", "NONE",
                 error::retriable);
  std::string known;
  for (const auto &e : registry.entries) known += (known.empty() ? "" : ", ") + e.id;
  return error(status::invalid,
               "bundle '" + wanted + "' is not known; there is " + known + ": name one of those, or none for the default",
               "bundle", "UNKNOWN");
}

std::string handler_task(const chat_task &task, const std::string &bundle, std::uint32_t attempt) {
  std::string out;
  json_writer w(out);
  w.begin_object().member("task_id", task.task_id).member("event_id", task.event_id).member("attempt", attempt);
  w.member("bundle_id", bundle).member("tenant", task.tenant).member("project", task.project);
  w.member("session_id", task.session_id).member("conversation_id", task.conversation_id).member("turn_id", task.turn_id);
  w.key("user").begin_object().member("type", task.user_type).key("id").text_or_null(task.user_id).end_object();
  w.member("text", task.text).key("events").raw(task.external_events.empty() ? "[]" : task.external_events);
  w.end_object();
  return out;
}

relay_message handler_event(const chat_task &task, const std::string &event, std::size_t n) {
  chat_step step;
  step.status = "running";
  const auto document = json_document::parse(event, limits);
  const auto object = document ? document->root().object() : result<json_object>(document.error());
  if (!object) {
    step.data = event;
  } else {
    const auto take = [&](std::string_view name, std::string &into) {
      if (const auto text = object->text(name, into); text) into = std::string(*text);
    };
    take("type", step.type);
    take("agent", step.agent);
    take("step", step.step);
    take("status", step.status);
    take("title", step.title);
    if (const auto data = object->find("data")) json_writer(step.data = "").value(*data);
  }
  auto m = chat_event(task, step);
  // Two of a kind are not copies of one another.
  if (n != 0) m.id += ":" + std::to_string(n);
  return m;
}

relay_message handler_complete(const chat_task &task, const bundle_answer &answer) {
  std::string data;
  json_writer w(data);
  w.begin_object().member("task_id", task.task_id).member("event_id", task.event_id).member("commit", answer.commit);
  const auto document = json_document::parse(answer.result, limits);
  if (const auto object = document ? document->root().object() : result<json_object>(document.error()); object) {
    for (const auto &[name, value] : object->members())
      if (name != "task_id" && name != "event_id" && name != "commit") w.key(name).value(value);
  } else {
    w.key("final_answer").raw(answer.result);
  }
  w.end_object();
  return chat_event(task, {.type = "chat.complete", .status = "completed", .title = "Done", .data = data});
}

relay_message handler_error(const chat_task &task, const std::string &bundle, const error &why) {
  std::string data;
  json_writer(data)
      .begin_object()
      .member("error", why.message())
      .member("error_type", why.native().empty() ? std::string(status_name(why.code())) : why.native())
      .member("task_id", task.task_id)
      .member("bundle_id", bundle)
      .end_object();
  return chat_event(task, {.type = "chat.error", .status = "error", .title = "Failed", .data = data});
}

}  // namespace corbel
