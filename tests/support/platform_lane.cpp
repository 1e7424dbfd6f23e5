#include "support/platform_lane.hpp"

#include "json/document.hpp"

#include <fmt/format.h>

namespace corbel::test {

namespace {

/// Keys and arguments in the platform's order: target, counter, ready, in flight and mailboxes of anonymous, external,
/// registered, privileged, paid, then lane and events; type, task, shares of anonymous, registered, paid, hard, most,
/// capacity, healthy, how many events, their ids, their records.
constexpr const char *enqueue_script = R"(
local total = 0
for i = 3, 12 do total = total + redis.call('LLEN', KEYS[i]) end
for i = 13, 17 do total = total + (tonumber(redis.call('GET', KEYS[i])) or 0) end
local capacity, healthy, most, kind = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[7]), ARGV[1]
if capacity <= 0 then return {0, 'no_healthy_processes', total, 0, healthy} end
if most > 0 and total >= most then return {0, 'queue_size_exceeded', total, capacity, healthy} end
local share, reason = ARGV[3], 'anonymous_threshold_exceeded'
if kind == 'registered' then share, reason = ARGV[4], 'registered_threshold_exceeded' end
if kind == 'paid' then share, reason = ARGV[5], 'paid_threshold_exceeded' end
if kind == 'privileged' then share, reason = ARGV[6], 'hard_limit_exceeded' end
if total >= math.floor(capacity * tonumber(share)) then return {0, reason, total, capacity, healthy} end
local count, ids = tonumber(ARGV[10] or 0), {}
for i = 1, count do
  local id, record = ARGV[10 + i], ARGV[10 + count + i]
  ids[i] = redis.call('XADD', KEYS[18], '*', 'message_id', id)
  redis.call('SET', KEYS[18 + i], record)
end
redis.call('LPUSH', KEYS[1], ARGV[2])
redis.call('INCR', KEYS[2])
redis.call('EXPIRE', KEYS[2], 300)
return {1, 'admitted', total + 1, capacity, healthy, cjson.encode(ids)}
)";
constexpr const char *in_order[] = {"anonymous", "external", "registered", "privileged", "paid"};
const std::string lanes = platform_scope + "kdcube:chat:conversation:external-events:";

std::string member(const redis_answer &document, const std::string &name) {
  if (document.nil) return {};
  auto parsed = json_document::parse(document.text);
  if (!parsed || parsed->root().kind() != json_kind::object) return "is no JSON: " + document.text;
  const auto value = parsed->root().object()->find(name);
  if (!value) return {};
  if (value->kind() == json_kind::text) return std::string(*value->text());
  const auto number = value->number();
  return number ? fmt::format("{}", *number) : "is no text";
}

}  // namespace

redis_answer platform_enqueue(redis_server &server, const std::string &type, const std::string &task,
                              const platform_admission &a, const platform_events &events) {
  std::vector<std::string> keys{platform_queue + type, platform_scope + "kdcube:system:capacity:counter"};
  for (const auto *t : in_order) keys.push_back(platform_queue + t);
  for (const auto *t : in_order) keys.push_back(platform_queue + "inflight:" + t);
  for (const auto *t : in_order) keys.push_back(platform_scope + "kdcube:chat:conversation:mailbox:count:" + t);
  if (!events.lane.empty()) {
    keys.push_back(lanes + events.lane);
    for (const auto &[id, record] : events.events) keys.push_back(lanes + events.lane + ":event:" + id);
  }
  std::vector<std::string> command{"EVAL", enqueue_script, std::to_string(keys.size())};
  command.insert(command.end(), keys.begin(), keys.end());
  for (auto &v :
       {type, task, fmt::format("{}", a.anonymous), fmt::format("{}", a.registered), fmt::format("{}", a.paid),
        fmt::format("{}", a.hard), std::to_string(a.max_queue_size), std::to_string(a.capacity), std::to_string(a.healthy)})
    command.push_back(v);
  if (!events.lane.empty()) {
    command.push_back(std::to_string(events.events.size()));
    for (const auto &[id, record] : events.events) command.push_back(id);
    for (const auto &[id, record] : events.events) command.push_back(record);
  }
  return server.command(command);
}

platform_lane::platform_lane(redis_server &server, std::string conversation)
    : server_(server), conversation_(std::move(conversation)) {}

std::string platform_lane::id() const { return conversation_ + ":user:u:agent:default.react.agent"; }
std::string platform_lane::key() const { return lanes + id(); }

std::string platform_lane::record(const std::string &event, int sequence, bool reactive, const std::string &time) const {
  const auto accepted = fmt::format(
      R"({{"event_id": "{}", "type": "event.user.prompt", "timestamp": "{}", "reactive": {}, "story_id": null}})", event,
      time, reactive);
  auto task =
      platform_task("task-of-" + event, conversation_, "registered",
                    fmt::format(R"(, "event": {{"kind": "message", "event_id": null, "sequence": null, "reactive": {}}}, )"
                                R"("bundle_call_context": {{"kept": [1.5, {{}}]}})",
                                reactive));
  return fmt::format(
      R"({{"message_id": "{0}", "event_id": "{0}", "kind": "external_event", "created_at": 1769854830.123456, )"
      R"("sequence": {1}, "user_id": "u", "agent_id": "default.react.agent", )"
      R"("event_source_id": "react.external_event", "stream_id": null, "text": "with \"quotes\", [] and {{}}", )"
      R"("payload": {{"text": "x", "event": {2}, "is_continuation": false}}, "task_payload": {3}, )"
      R"("consumed_at": null, "consumed_by_turn_id": null, "promoted_at": null, "failed_at": null}})",
      event, sequence, accepted, task);
}

std::string platform_lane::wake_up(const std::string &event, int sequence, const std::string &task_id) const {
  return fmt::format(
      R"({{"kind": "external_event_lane_wakeup", "meta": {{"task_id": "{}", "created_at": 1760000000.25, "instance_id": null}}, )"
      R"("routing": {{"bundle_id": "b", "session_id": "s", "conversation_id": "{}", "turn_id": "turn-{}", "socket_id": null}}, )"
      R"("actor": {{"tenant_id": "t", "project_id": "p"}}, "user": {{"user_type": "registered", "user_id": "u", "roles": []}}, )"
      R"("event_lane": {{"tenant": "t", "project": "p", "user_id": "u", "conversation_id": "{}", )"
      R"("agent_id": "default.react.agent", "event_id": "{}", "sequence": {}, "stream_id": null}}, "config": null, )"
      R"("accounting": null, "continuation": null, "event": null, "bundle_call_context": {{}}, "reason": "reactive_event"}})",
      task_id, conversation_, event, conversation_, event, sequence);
}

redis_answer platform_lane::put(const std::string &event, int sequence, const std::string &task_id, bool reactive) {
  return platform_enqueue(server_, "registered", wake_up(event, sequence, task_id), {.capacity = 1000},
                          {id(), {{event, record(event, sequence, reactive)}}});
}

void platform_lane::set_state(const std::string &status, const std::string &at, const std::string &processed) {
  server_.command(
      {"SET", key() + ":state",
       fmt::format(R"({{"consumer_status": "{}", "consumer_status_at": "{}", "handler_status": "", )"
                   R"("handler_status_at": "", "handler_turn_id": "", "last_processed_event_id": "", )"
                   R"("last_processed_event_timestamp": "{}", "last_processed_reactive_event_timestamp": "{}"}})",
                   status, at, processed, processed)});
}

std::string platform_lane::state(const std::string &name) const {
  return member(server_.command({"GET", key() + ":state"}), name);
}
std::string platform_lane::of_event(const std::string &event, const std::string &name) const {
  return member(server_.command({"GET", key() + ":event:" + event}), name);
}

void platform_lane::lock_state(std::chrono::milliseconds how_long) {
  server_.command({"SET", key() + ":state:lock", "lock_theirs", "NX", "PX", std::to_string(how_long.count())});
}
void platform_lane::unlock_state() { server_.command({"DEL", key() + ":state:lock"}); }

}  // namespace corbel::test
