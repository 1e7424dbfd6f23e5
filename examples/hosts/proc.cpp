/// corbel-proc: works the queue. It counts the words of each message and publishes progress and result on the channel of the
/// message's session, before it settles: what dies in between is worked again, and readers know the copy by its id.
///
///     corbel-proc --port 8020 --redis-url redis://localhost --concurrency 8

#include "host/drain.hpp"
#include "host/start.hpp"
#include "http/metrics.hpp"
#include "json/writer.hpp"
#include "operations/chat_event.hpp"
#include "operations/health_body.hpp"
#include "operations/metrics_route.hpp"
#include "operations/request_table.hpp"
#include "relay/publisher.hpp"
#include "word_count.hpp"

#include <corbel/pools.hpp>
#include <corbel/queue.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <optional>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr std::chrono::minutes patience{10};  // with a Redis that is away, before a message is given back

struct worker {
  corbel::runtime &rt;
  corbel::consumer consumer;
  corbel::relay_publisher events;
  std::optional<corbel::request_table> requests;

  void log(corbel::log_level level, std::string text, const corbel::message &m) const {
    rt.log({.level = level, .part = "worker", .text = std::move(text), .fields = {{"message", m.id()}}});
  }

  /// What there is to say about a task, in order.
  static std::vector<corbel::relay_message> work(const corbel::chat_task &task, const word_count &counted) {
    std::string progress, answer, data;
    corbel::json_writer(progress).begin_object().member("task_id", task.task_id).member("words", counted.words).end_object();
    for (auto &[word, count] : counted.top) answer += (answer.empty() ? "" : ", ") + word + " " + std::to_string(count);
    corbel::json_writer w(data);
    w.begin_object().member("task_id", task.task_id).member("event_id", task.event_id).member("final_answer", answer);
    w.member("words", counted.words).member("distinct", counted.distinct).key("top").begin_array();
    for (auto &[word, count] : counted.top) w.begin_array().value(word).value(count).end_array();
    w.end_array().end_object();
    return {
        corbel::chat_event(task, {.type = "chat.start", .status = "started", .title = "Started"}),
        corbel::chat_event(task, {.step = "count_words", .status = "completed", .title = "Counted words", .data = progress}),
        corbel::chat_event(task, {.type = "chat.complete", .status = "completed", .title = "Done", .data = data})};
  }

  asio::awaitable<corbel::settle> handle(const corbel::message &m) {
    auto task = corbel::chat_task::parse(m.body());
    if (!task) {
      ended(m.id(), "failed", 0);
      log(corbel::log_level::error, "dropped a message that cannot be read: " + task.error().message(), m);
      co_return corbel::settle::done;
    }
    const auto counted = count_words(task->text);
    auto news = work(*task, counted);
    for (auto &event : news) {
      auto told = co_await events.publish_surely(std::move(event), patience);
      if (!told) {
        log(corbel::log_level::warning, "could not publish, the message is worked again: " + told.error().message(), m);
        co_return corbel::settle::retry;
      }
    }
    ended(task->task_id, "completed", std::int64_t(counted.words));
    co_return corbel::settle::done;
  }

  void ended(const std::string &task_id, const char *state, std::int64_t words) {
    if (requests) requests->ended(task_id, state, words);
  }

  /// One message after another, until the consumer is drained.
  asio::awaitable<void> run() {
    for (;;) {
      auto taken = co_await consumer.async_take(asio::use_awaitable);
      if (!taken) break;
      auto message = *std::move(taken);
      auto how = co_await handle(message);
      corbel::call c{.timeout = patience};
      auto settled = co_await message.async_settle(how, c, asio::use_awaitable);
      if (!settled)
        log(corbel::log_level::warning, "not settled: " + settled.error().message(), message);
      else if (!*settled)
        log(corbel::log_level::warning, "the lease had been lost: the message is worked by another as well", message);
    }
  }

  asio::awaitable<std::size_t> drain(std::chrono::milliseconds timeout) {
    const auto end = std::chrono::steady_clock::now() + timeout;
    corbel::call c{.timeout = timeout};
    auto left = co_await consumer.async_drain(c, asio::use_awaitable);
    const auto rest = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    std::size_t unwritten = 0;
    if (requests) unwritten = co_await requests->finish(std::max(rest, std::chrono::milliseconds(100)));
    co_return (left ? *left : 1) + unwritten;
  }
};

int serve(corbel::host_options options) {
  asio::io_context ctx{1};
  corbel::runtime rt(ctx, options.runtime("proc"));
  corbel::pools pools(rt, options.settings());
  auto redis = pools.redis();
  corbel::gateway_config config(rt, redis, options.load);
  pools.follow(config);
  auto log = [&rt](const corbel::log_line &line) { rt.log(line); };
  auto who = options.identity();
  corbel::queue_options queue{.name = options.queue, .concurrency = options.concurrency, .lease = options.lease};
  worker w{rt, corbel::consumer(redis, queue), corbel::relay_publisher(redis, options.scope()), {}};
  if (options.has_postgres)
    w.requests.emplace(pools.postgres(), who.tenant, who.project, who.instance, ctx.get_executor(), log);
  for (std::uint32_t i = 0; i < options.concurrency; ++i) asio::co_spawn(ctx, w.run(), asio::detached);

  corbel::http_server *serving = nullptr;
  corbel::http_router routes;
  routes.add("GET", "/health",
             {.handler = [&](const corbel::http_request &) -> asio::awaitable<corbel::http_response> {
                co_return corbel::proc_health(options.identity(), serving->draining());
              },
              .while_draining = true});
  corbel::add_metrics_route(routes, rt, [&](corbel::detail::metrics_writer &to) { write_metrics(to, serving->stats()); });
  corbel::http_server server(ctx.get_executor(), std::move(routes), {}, log);
  serving = &server;
  return corbel::run_host(
      ctx, rt, server, options, [&](std::chrono::milliseconds timeout) { return w.drain(timeout); }, [] {});
}

}  // namespace

int main(int argc, char **argv) {
  const corbel::host_kind kind{.name = "proc",
                               .description = "Works the queue: counts words and publishes the result.",
                               .port = 8020,
                               .port_variable = "CHAT_PROCESSOR_PORT",
                               .works_queue = true};
  return corbel::start_host(kind, argc, argv, serve);
}
