#include "operations/chat_submission.hpp"

#include "base/utc_time.hpp"
#include "json/document.hpp"
#include "json/utf8.hpp"
#include "json/writer.hpp"
#include "operations/event_text.hpp"
#include "relay/unique_id.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace corbel {

namespace {

constexpr json_limits body_limits{.bytes = std::size_t{64} << 20, .depth = 64};  // the HTTP server limits the bytes

error wrong(std::string type, std::string line) {
  return error(status::invalid, std::move(line), "ingress", std::move(type));
}
error wrong(const error &json) { return wrong("bad_request", json.message()); }

error read_id(const json_object &from, std::string_view key, std::string &into) {
  auto id = from.text(key, into);
  if (!id) return wrong(id.error());
  into = *id;
  if (!into.empty() && !is_client_id(into))
    return wrong("bad_request", fmt::format("{}: expected 1 to 128 printable ASCII characters without space", key));
  return {};
}

/// The client's event with what the platform's form has beside it.
void write_event(json_writer &w, const json_object &event, std::string_view id, const std::string &now) {
  w.begin_object().member("event_id", id);
  for (auto &[name, value] : event.members()) {
    if (name != "event_id") w.member(name, value);
  }
  if (!event.find("type")) w.member("type", "event.external");
  if (!event.find("event_source_id")) w.member("event_source_id", "react.external_event");
  if (!event.find("timestamp")) w.member("timestamp", now);
  if (!event.find("reactive")) w.member("reactive", true);
  w.end_object();
}

error check_text(const std::string &text, const chat_limits &limits) {
  if (text.empty()) return wrong("missing_message", "no event says anything: payload.event has no text");
  if (auto n = detail::utf8_length(text); n > limits.text)
    return wrong("input_too_long", fmt::format("the text has {} characters, {} are allowed", n, limits.text));
  return {};
}

}  // namespace

bool is_client_id(std::string_view id) noexcept {
  return !id.empty() && id.size() <= 128 && std::all_of(id.begin(), id.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

result<chat_task> read_chat_submission(std::string_view body, const chat_limits &limits) {
  auto document = json_document::parse(body, body_limits);
  if (!document) return wrong(document.error());
  auto top = document->root().object();
  if (!top) return wrong(top.error());
  auto found = top->find("external_events");
  if (!found) return wrong("missing_external_events", "external_events: is missing");
  auto events = found->array();
  if (!events) return wrong(events.error());
  if (events->empty()) return wrong("missing_external_events", "external_events: is empty");
  if (events->size() > limits.events)
    return wrong("bad_request", fmt::format("external_events: {} events, {} are allowed", events->size(), limits.events));
  chat_task task;
  if (auto e = read_id(*top, "conversation_id", task.conversation_id)) return e;
  if (auto e = read_id(*top, "bundle_id", task.bundle_id)) return e;
  auto now = detail::utc_text(std::chrono::system_clock::now());
  json_writer w(task.external_events);
  w.begin_array();
  for (auto &e : *events) {
    auto event = e.object();
    if (!event) return wrong(event.error());
    std::string id;
    if (auto bad = read_id(*event, "event_id", id)) return bad;
    if (id.empty()) id = unique_id();
    if (task.event_id.empty()) task.event_id = id;
    write_event(w, *event, id, now);
    auto text = event_text(*event);
    if (!text.empty() && !task.text.empty()) task.text += '\n';
    task.text += text;
  }
  w.end_array();
  if (auto e = check_text(task.text, limits)) return e;
  return task;
}

result<chat_task> read_plain_message(std::string_view body, const chat_limits &limits) {
  auto document = json_document::parse(body, body_limits);
  if (!document) return wrong(document.error());
  auto top = document->root().object();
  if (!top) return wrong(top.error());
  chat_task task;
  if (auto e = read_id(*top, "session_id", task.session_id)) return e;
  if (task.session_id.empty()) return wrong("missing_session_id", "session_id: is missing");
  if (auto e = read_id(*top, "conversation_id", task.conversation_id)) return e;
  if (auto e = read_id(*top, "bundle_id", task.bundle_id)) return e;
  if (auto e = read_id(*top, "event_id", task.event_id)) return e;
  if (task.event_id.empty()) task.event_id = unique_id();
  auto text = top->text("text", {});
  if (!text) return wrong(text.error());
  if (text->empty()) return wrong("missing_message", "text: is missing or empty");
  task.text = *text;
  if (auto e = check_text(task.text, limits)) return e;
  json_writer w(task.external_events);
  w.begin_array().begin_object().member("event_id", task.event_id).member("type", "event.user.prompt");
  w.member("event_source_id", "user.prompt").member("timestamp", detail::utc_text(std::chrono::system_clock::now()));
  w.member("reactive", true)
      .key("payload")
      .begin_object()
      .member("mime", "text/plain")
      .member("event", task.text)
      .end_object();
  w.end_object().end_array();
  return task;
}

}  // namespace corbel
