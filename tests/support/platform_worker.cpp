#include "support/platform_worker.hpp"

#include "json/document.hpp"

#include <fmt/format.h>

namespace corbel::test {

namespace {

constexpr const char *types[] = {"privileged", "registered", "anonymous", "paid", "external"};
constexpr const char *release_script =
    "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";

std::string text(const std::optional<json_object> &o, std::string_view key) {
  if (!o) return {};
  auto value = o->find(key);
  return value && value->kind() == json_kind::text ? std::string(*value->text()) : std::string();
}

std::optional<json_object> object(const std::optional<json_object> &o, std::string_view key) {
  if (!o) return {};
  auto value = o->find(key);
  if (!value || value->kind() != json_kind::object) return {};
  return *value->object();
}

/// Id and conversation's lock; no id: it is none.
void read_task(platform_worker::task &t) {
  auto document = json_document::parse(t.raw, {.bytes = 32u << 20});
  if (!document || document->root().kind() != json_kind::object) return;
  const std::optional<json_object> top = *document->root().object();
  t.id = text(object(top, "meta"), "task_id");
  if (t.id.empty()) t.id = text(top, "task_id");
  const auto routing = object(top, "routing"), user = object(top, "user");
  auto conversation = text(routing, "conversation_id");
  if (conversation.empty()) conversation = text(routing, "session_id");
  auto who = text(user, "user_id");
  if (who.empty()) who = text(user, "fingerprint");
  if (!conversation.empty()) t.conversation_lock = platform_conversation_lock(who.empty() ? "_" : who, conversation);
}

}  // namespace

std::string platform_conversation_lock(const std::string &user, const std::string &conversation) {
  return platform_lock + "conversation:t:p:" + user + ":" + conversation;
}

std::string platform_task(const std::string &id, const std::string &conversation, const std::string &type,
                          const std::string &extra) {
  return fmt::format(
      R"({{"meta": {{"task_id": "{}", "created_at": 1760000000.25, "instance_id": "i"}}, "routing": {{"bundle_id": "b", )"
      R"("session_id": {}, "conversation_id": {}, "turn_id": "turn-{}", "socket_id": null}}, )"
      R"("actor": {{"tenant_id": "t", "project_id": "p"}}, "user": {{"user_type": "{}", "user_id": "u", "roles": []}}, )"
      R"("request": {{"external_events": [], "chat_history": []}}, "accounting": {{"envelope": {{"request_id": "r-{}"}}}}{}}})",
      id, conversation.empty() ? "null" : "\"s\"", conversation.empty() ? "null" : "\"" + conversation + "\"", id, type, id,
      extra);
}

std::optional<platform_worker::task> platform_worker::claim(const std::string &type) {
  auto t = move(type);
  if (!t || t->id.empty() || !lock(*t)) return {};
  return t;
}

std::optional<platform_worker::task> platform_worker::move(const std::string &type) {
  const auto raw = server_.command({"RPOPLPUSH", platform_queue + type, platform_queue + "inflight:" + type});
  if (raw.nil) return {};
  task t{type, raw.text, {}, {}};
  read_task(t);
  if (t.id.empty()) server_.command({"LREM", platform_queue + "inflight:" + type, "1", t.raw});
  return t;
}

bool platform_worker::lock(task &t) {
  if (server_.command({"SET", platform_lock + t.id, token(t), "NX", "EX", "300"}).nil) {
    put_back(t);
    return false;
  }
  if (t.conversation_lock.empty() || !server_.command({"SET", t.conversation_lock, token(t), "NX", "EX", "300"}).nil)
    return true;
  put_back(t);
  release(platform_lock + t.id, token(t));
  return false;
}

void platform_worker::start(const task &t) {
  server_.command({"SET", platform_lock + "started:" + t.id, fmt::format(R"({{"task_id": "{}"}})", t.id), "EX", "2760"});
}

void platform_worker::acknowledge(const task &t) {
  server_.command({"LREM", platform_queue + "inflight:" + t.type, "1", t.raw});
  release(platform_lock + t.id, token(t));
  server_.command({"DEL", platform_lock + "started:" + t.id});
  if (!t.conversation_lock.empty()) release(t.conversation_lock, token(t));
}

void platform_worker::put_back(const task &t) {
  server_.command({"LREM", platform_queue + "inflight:" + t.type, "1", t.raw});
  server_.command({"RPUSH", platform_queue + t.type, t.raw});
}

platform_worker::reaped platform_worker::reap() {
  using clock = std::chrono::steady_clock;
  reaped sum;
  for (const auto *type : types) {
    const auto seen = clock::now();
    for (auto &element : server_.command({"LRANGE", platform_queue + "inflight:" + type, "0", "-1"}).elements) {
      task t{type, element.text, {}, {}};
      read_task(t);
      if (t.id.empty()) {
        server_.command({"LREM", platform_queue + "inflight:" + type, "1", t.raw});
      } else if (server_.command({"TTL", platform_lock + t.id}).number >= 0) {
        continue;
      } else if (server_.command({"TTL", platform_lock + "started:" + t.id}).number >= -1) {
        server_.command({"LREM", platform_queue + "inflight:" + type, "1", t.raw});
        server_.command({"DEL", platform_lock + "started:" + t.id});
        ++sum.interrupted;
      } else {
        const bool was_there = server_.command({"LREM", platform_queue + "inflight:" + type, "1", t.raw}).number == 1;
        const bool is_held = server_.command({"EXISTS", platform_lock + t.id}).number == 1;
        const auto age = std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - seen).count();
        sum.told.emplace_back(t.id, fmt::format("put back after {} ms, {}in flight, {}locked", age, was_there ? "" : "not ",
                                                is_held ? "" : "not "));
        if (is_held || !was_there) sum.raced.push_back(t.id);
        server_.command({"RPUSH", platform_queue + type, t.raw});
        ++sum.back;
      }
    }
  }
  return sum;
}

long long platform_worker::ready(const std::string &type) { return server_.command({"LLEN", platform_queue + type}).number; }
long long platform_worker::in_flight(const std::string &type) {
  return server_.command({"LLEN", platform_queue + "inflight:" + type}).number;
}

void platform_worker::release(const std::string &key, const std::string &token) {
  server_.command({"EVAL", release_script, "1", key, token});
}

}  // namespace corbel::test
