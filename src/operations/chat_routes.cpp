#include "operations/chat_routes.hpp"

#include "json/writer.hpp"
#include "operations/lane_event.hpp"
#include "operations/put_refusal.hpp"
#include "operations/turn_events.hpp"
#include "relay/unique_id.hpp"

#include <corbel/trace.hpp>

#include <boost/asio/use_awaitable.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <memory>

namespace corbel {

namespace asio = boost::asio;

namespace {

using routes_ptr = std::shared_ptr<const chat_routes>;

/// "turn_2026-07-24-09-30-00-123", UTC.
std::string turn_id(std::chrono::system_clock::time_point now) {
  auto ms = std::chrono::floor<std::chrono::milliseconds>(now);
  return fmt::format("turn_{:%Y-%m-%d-%H-%M-%S}-{:03}", fmt::gmtime(std::chrono::system_clock::to_time_t(ms)),
                     ms.time_since_epoch().count() % 1000);
}

http_response unavailable(const error &why) {
  http_response r{.status = 503};
  json_writer w(r.body);
  w.begin_object().key("detail").begin_object().member("error", why.message()).member("error_type", "queue.unavailable");
  w.member("retry_after", 1).member("maybe_applied", why.may_be_applied()).end_object().end_object();
  r.fields.emplace_back("Retry-After", "1");
  return r;
}

http_response accepted(const chat_task &t, bool conversation_created, const conversation_claim &claim) {
  http_response r;
  json_writer w(r.body);
  w.begin_object().member("status", "processing_started").member("task_id", t.task_id).member("session_id", t.session_id);
  w.member("conversation_id", t.conversation_id).member("turn_id", t.turn_id);
  w.key("active_turn_id").text_or_null(claim.active_turn).key("target_turn_id").text_or_null(claim.active_turn);
  w.key("queued_turn_id").text_or_null(claim.ours ? std::string() : t.turn_id);
  w.member("event_id", t.event_id).member("external_event_sequence", nullptr).member("live_owner_detected", false);
  w.member("conversation_created", conversation_created).member("user_type", t.user_type);
  w.member("is_continuation", !claim.ours).member("message", "The message is on the queue.").end_object();
  return r;
}

void publish(const chat_routes &routes, relay_message m) {
  if (routes.publish) routes.publish(std::move(m));
}

http_response not_put(const chat_routes &routes, const chat_task &task, const conversation_claim &claim, const error &why) {
  // What may have been put ends its turn itself.
  if (claim.told && claim.ours && !why.may_be_applied()) {
    routes.conversations->ended(task, "idle");
    publish(routes, conversation_status(task, "idle", "rollback"));
  }
  auto refusal = put_refusal::of(why, task, routes.admission ? routes.admission() : queue_admission{});
  if (!refusal) return unavailable(why);
  publish(routes, refusal->event(task));
  return refusal->response();
}

error nothing_put(const error &why) {
  return error(status::unavailable, "the message was not put: " + why.message(), "queue", why.native(), error::retriable);
}

asio::awaitable<http_response> put(routes_ptr routes, chat_task task) {
  auto now = std::chrono::system_clock::now();
  bool conversation_created = task.conversation_id.empty();
  if (conversation_created) task.conversation_id = unique_id();
  task.task_id = unique_id();
  task.turn_id = turn_id(now);
  task.created_at = std::chrono::duration<double>(now.time_since_epoch()).count();
  task.instance_id = routes->who.instance;
  task.tenant = routes->who.tenant;
  task.project = routes->who.project;
  conversation_claim claim;
  if (routes->conversations) claim = co_await routes->conversations->begin(task, conversation_created);
  call c{.timeout = routes->put_timeout};
  std::vector<put_item> items;
  if (routes->lanes) {
    auto lanes = *routes->lanes;
    redis_command next("INCR", lane_sequence_key(task));
    call often{.timeout = routes->put_timeout, .idempotent = true};  // a number that nobody has does no harm
    auto number = co_await lanes.async_send(std::move(next), often, asio::use_awaitable);
    if (!number) co_return not_put(*routes, task, claim, nothing_put(number.error()));
    items.push_back(lane_item(task, claim, number->root().integer()));
  } else {
    items.push_back({.body = task.json(), .id = task.task_id, .group = task.conversation_id});
  }
  auto queue = routes->queue;
  auto done = co_await queue.async_put(std::move(items), c, asio::use_awaitable);
  if (!done) co_return not_put(*routes, task, claim, done.error());
  if (routes->accepted) routes->accepted(task);
  if (claim.told && claim.ours)
    publish(*routes, conversation_status(task, conversation_created ? "created" : "in_progress"));
  co_return accepted(task, conversation_created, claim);
}

http_response refused(const error &e) { return http_refusal(400, e.native(), e.message()); }

asio::awaitable<http_response> chat(routes_ptr routes, const http_request &request) {
  auto task = read_chat_submission(request.body, routes->limits);
  if (!task) co_return refused(task.error());
  task->traceparent = trace_context::follow(request.field("traceparent")).text();
  task->stream_id = request.either("stream_id", "KDC-Stream-ID");
  task->session_id = request.either("user_session_id", "User-Session-ID");
  if (!task->stream_id.empty() && !is_client_id(task->stream_id))
    co_return http_refusal(400, "bad_request", "stream_id: expected 1 to 128 printable ASCII characters without space");
  if (task->session_id.empty() && !task->stream_id.empty()) task->session_id = routes->session_of(task->stream_id);
  if (task->session_id.empty())
    co_return http_refusal(400, "missing_session_id",
                           "user_session_id is missing, and no stream of that stream_id is open here");
  if (!is_client_id(task->session_id))
    co_return http_refusal(400, "bad_request",
                           "user_session_id: expected 1 to 128 printable ASCII characters without space");
  co_return co_await put(routes, *std::move(task));
}

asio::awaitable<http_response> plain(routes_ptr routes, const http_request &request) {
  auto task = read_plain_message(request.body, routes->limits);
  if (!task) co_return refused(task.error());
  task->traceparent = trace_context::follow(request.field("traceparent")).text();
  co_return co_await put(routes, *std::move(task));
}

}  // namespace

void chat_routes::add(http_router &router, chat_routes given) {
  auto routes = std::make_shared<const chat_routes>(std::move(given));
  router.add("POST", "/sse/chat", {.handler = [routes](const http_request &r) { return chat(routes, r); }});
  router.add("POST", "/api/chat/messages", {.handler = [routes](const http_request &r) { return plain(routes, r); }});
}

}  // namespace corbel
