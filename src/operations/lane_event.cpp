#include "operations/lane_event.hpp"

#include "base/utc_time.hpp"
#include "json/document.hpp"
#include "json/writer.hpp"
#include "queue/platform/keys.hpp"

#include <fmt/format.h>

namespace corbel {

namespace {

constexpr char agent[] = "default.react.agent";

/// Whose lane of the conversation it is; empty: of nobody who is known.
const std::string &user_of(const chat_task &t) { return t.user_id.empty() ? t.fingerprint : t.user_id; }

void write_continuation(json_writer &w, const conversation_claim &claim) {
  w.key("continuation").begin_object().member("is_continuation", !claim.ours);
  w.key("active_turn_id").text_or_null(claim.active_turn).key("target_turn_id").text_or_null(claim.active_turn);
  w.end_object();
}

/// The first of the client's events, with this host's time.
void write_first_event(json_writer &w, const chat_task &t, const std::string &now) {
  w.begin_object();
  const auto events = json_document::parse(t.external_events);
  const auto list = events ? events->root().array() : result<json_array>(events.error());
  if (list && !list->empty() && (*list)[0].kind() == json_kind::object) {
    const auto first = *(*list)[0].object();
    for (const auto &[name, value] : first.members())
      if (name != "timestamp" && name != "ts" && !value.is_null()) w.member(name, value);
    if (!first.find("agent_id")) w.member("agent_id", agent);
    if (!first.find("story_id")) w.member("story_id", nullptr);
  }
  w.member("timestamp", now).end_object();
}

std::string record(const chat_task &t, const conversation_claim &claim, std::int64_t sequence, const std::string &id) {
  const auto since = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::duration<double>(t.created_at));
  const auto now = detail::utc_text_us(std::chrono::system_clock::time_point(since));
  std::string out;
  json_writer w(out);
  w.begin_object().member("message_id", id).member("event_id", id).member("kind", "external_event");
  w.member("created_at", t.created_at).member("sequence", sequence).key("user_id").text_or_null(user_of(t));
  w.member("agent_id", agent).member("event_source_id", "react.external_event").member("stream_id", nullptr);
  w.member("explicit", false).member("is_continuation", !claim.ours);
  w.key("target_turn_id").text_or_null(claim.active_turn);
  w.key("active_turn_id_at_ingress").text_or_null(claim.active_turn).member("owner_turn_id", nullptr);
  w.member("source", "ingress.sse").member("text", t.text);
  w.key("payload").begin_object().member("text", t.text).key("event");
  write_first_event(w, t, now);
  w.member("is_continuation", !claim.ours).end_object();
  w.key("task_payload").raw(t.json());
  for (auto name : {"consumed_at", "consumed_by_turn_id", "promoted_at", "promoted_task_id", "failed_at", "failed_reason"})
    w.member(name, nullptr);
  w.end_object();
  return out;
}

std::string wake_up(const chat_task &t, const conversation_claim &claim, std::int64_t sequence, const std::string &id) {
  std::string out;
  json_writer w(out);
  w.begin_object().member("kind", "external_event_lane_wakeup");
  t.write_names(w);
  w.key("event_lane").begin_object().member("tenant", t.tenant).member("project", t.project);
  w.key("user_id").text_or_null(user_of(t)).member("conversation_id", t.conversation_id).member("agent_id", agent);
  w.member("event_id", id).member("sequence", sequence).member("stream_id", nullptr).end_object();
  write_continuation(w, claim);
  w.member("config", nullptr).member("event", nullptr).key("bundle_call_context").begin_object().end_object();
  w.member("reason", "reactive_event").end_object();
  return out;
}

}  // namespace

std::string lane_sequence_key(const chat_task &t) {
  return fmt::format("{}:{}:kdcube:chat:conversation:external-events:seq:{}", t.tenant, t.project,
                     detail::event_lane_id(t.conversation_id, user_of(t), {}));
}

put_item lane_item(const chat_task &t, const conversation_claim &claim, std::int64_t sequence) {
  const auto id = detail::safe_part(t.event_id);
  put_item item;
  item.body = wake_up(t, claim, sequence, id);
  item.id = t.task_id;
  item.events.conversation = t.conversation_id;
  item.events.user = user_of(t);
  item.events.events.push_back({id, record(t, claim, sequence, id)});
  return item;
}

}  // namespace corbel
