/// corbel-ingress: takes messages over HTTP, puts them on the queue, relays the sessions' events as Server-Sent Events.
///
///     corbel-ingress --port 8010 --redis-url redis://localhost
///     curl -N 'localhost:8010/sse/stream?stream_id=me&user_session_id=s1' &
///     curl localhost:8010/api/chat/messages -d '{"session_id": "s1", "text": "to be or not to be"}'

#include "host/document_follower.hpp"
#include "host/drain.hpp"
#include "host/queue.hpp"
#include "host/start.hpp"
#include "http/metrics.hpp"
#include "operations/chat_routes.hpp"
#include "operations/health_body.hpp"
#include "operations/health_routes.hpp"
#include "operations/latency_recorder.hpp"
#include "operations/metrics_route.hpp"
#include "operations/metrics_service.hpp"
#include "operations/request_table.hpp"
#include "operations/stream_route.hpp"
#include "relay/metrics.hpp"
#include "relay/publisher.hpp"

#include <corbel/pools.hpp>
#include <corbel/redis_monitor.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <optional>

namespace asio = boost::asio;

namespace {

asio::awaitable<void> tell(corbel::relay_publisher events, corbel::relay_message m) {
  (void)co_await events.publish(std::move(m));  // of one that fails the pool tells
}

int serve(corbel::host_options options) {
  asio::io_context ctx{1};
  corbel::runtime rt(ctx, options.runtime("ingress"));
  corbel::pools pools(rt, options.settings());
  auto redis = pools.redis();
  corbel::gateway_config config(rt, redis, options.load);
  pools.follow(config);
  const corbel::redis_monitor monitor(redis);  // a Redis that hangs is found out while nobody asks it anything
  auto log = [&rt](const corbel::log_line &line) { rt.log(line); };
  auto relay = std::make_shared<corbel::relay>(redis, options.scope(), log);
  auto who = options.identity();
  std::optional<corbel::request_table> requests;
  std::optional<corbel::conversation_state> conversations;
  if (options.has_postgres) {
    requests.emplace(pools.postgres(), who.tenant, who.project, who.instance, ctx.get_executor(), log);
    conversations.emplace(pools.postgres(), who.tenant, who.project, ctx.get_executor(), log);
  }
  auto beat = corbel::heartbeat_of(options, "chat:rest");
  beat.metadata = [&] { return R"({"pools": )" + pools.json() + R"(, "health": )" + health_json(corbel::health(rt)) + "}"; };
  std::optional<corbel::queue_heartbeat> heartbeat(std::in_place, redis, std::move(beat));

  corbel::http_server *serving = nullptr;
  corbel::http_router routes;
  corbel::add_health_routes(routes, rt, [&](bool draining) {
    return corbel::ingress_health(options.identity(), draining, std::chrono::system_clock::now());
  });
  corbel::add_metrics_route(routes, rt, [&](corbel::detail::metrics_writer &to) {
    write_metrics(to, serving->stats());
    if (relay) write_metrics(to, relay->stats());
  });
  corbel::stream_route::add(routes, {.who = who, .source = relay, .executor = ctx.get_executor()});
  auto queue = corbel::queue_of(options);
  corbel::producer producer(redis, queue);
  const corbel::document_follower follower(config, options, ctx.get_executor(), [&](const corbel::host_options &now) {
    queue.admission = corbel::queue_of(now).admission;
    producer.set_admission(queue.admission);
    if (heartbeat) heartbeat->set_capacity(now.concurrency);
  });
  corbel::chat_routes::add(
      routes, {.who = who,
               .queue = producer,
               .session_of =
                   [source = std::weak_ptr(relay)](const std::string &stream_id) {
                     auto r = source.lock();
                     return r ? r->session_of(stream_id) : std::string();
                   },
               .accepted =
                   [&](const corbel::chat_task &task) {
                     if (requests) requests->accepted(task);
                   },
               .publish = [&, events = corbel::relay_publisher(redis, options.scope())](
                              corbel::relay_message m) { asio::co_spawn(ctx, tell(events, std::move(m)), asio::detached); },
               .conversations = conversations ? &*conversations : nullptr,
               .lanes = queue.layout == corbel::queue_layout::platform ? std::optional(redis) : std::nullopt,
               .admission = [&] { return queue.admission.value_or(corbel::queue_admission{}); }});
  const corbel::token_guard guard(rt, options.operations_token);
  std::make_shared<corbel::metrics_service>(rt, corbel::system_reader(redis, who.tenant, who.project, queue), [pools] {
    return pools.settings();
  })->add_monitoring_route(routes, guard);
  corbel::http_server server(ctx.get_executor(), std::move(routes), {}, log);
  serving = &server;
  auto took =
      corbel::latency_recorder::start(rt, redis, corbel::latency_key(who.tenant, who.project, "ingress_rest_ms", "ingress"));
  server.on_answer([took](std::chrono::nanoseconds d) { took->record(d); });

  // What else ingress has in flight are its requests: the server completes them.
  auto leave = [&](std::chrono::milliseconds) -> asio::awaitable<std::size_t> {
    heartbeat.reset();
    co_return 0;
  };
  auto flush = [&](std::chrono::milliseconds timeout) -> asio::awaitable<std::size_t> {
    std::size_t left = 0;
    if (requests) left += co_await requests->finish(timeout);
    if (conversations) left += co_await conversations->finish(timeout);
    co_return left;
  };
  return corbel::run_host(ctx, rt, server, options, {.work = leave, .flush = flush, .release = [&] {
                                                       took->stop();
                                                       relay.reset();
                                                     }});
}

}  // namespace

int main(int argc, char **argv) {
  const corbel::host_kind kind{.name = "ingress",
                               .description = "Takes messages over HTTP and relays the sessions' events.",
                               .port = 8010,
                               .port_variable = "CHAT_APP_PORT"};
  return corbel::start_host(kind, argc, argv, serve);
}
