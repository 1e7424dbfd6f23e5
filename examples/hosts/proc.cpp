/// corbel-proc: works the queue, each message by the handler of its bundle, or, without bundles, by counting its words. It
/// publishes progress and result on the channel of the message's session, before it settles: what dies in between is worked
/// again, and readers know the copy by its id.
///
///     corbel-proc --port 8020 --redis-url redis://localhost --concurrency 8
///     BUNDLES_YAML_DESCRIPTOR_PATH=bundles.yaml corbel-proc --bundles-root /var/lib/corbel/bundles
///
/// While it takes work, its heartbeats say what it can hold; when it drains, it is out of the fleet's capacity at once.

#include "host/bundles.hpp"
#include "host/document_follower.hpp"
#include "host/drain.hpp"
#include "host/queue.hpp"
#include "host/start.hpp"
#include "host/supervisor.hpp"
#include "http/metrics.hpp"
#include "operations/bundle_operation_route.hpp"
#include "operations/conversation_state.hpp"
#include "operations/health_body.hpp"
#include "operations/health_routes.hpp"
#include "operations/latency_recorder.hpp"
#include "operations/metrics_route.hpp"
#include "operations/operations_routes.hpp"
#include "operations/processor_state.hpp"
#include "operations/request_table.hpp"
#include "operations/task_fields.hpp"
#include "operations/turn_events.hpp"
#include "relay/publisher.hpp"
#include "word_count_turn.hpp"

#include <corbel/pools.hpp>
#include <corbel/queue.hpp>
#include <corbel/redis_monitor.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <optional>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

using clock_type = std::chrono::steady_clock;
constexpr std::chrono::minutes patience{10};  // with a Redis that is away, before a message is given back

/// How the handling of a message ended.
struct outcome {
  corbel::settle_request how = corbel::settle::done;
  std::string text = "done", error_class = {};
  bool failed = false;      ///< the session was told of an error
  std::string bundle = {};  ///< that worked it
};

class worker {
 public:
  /// bundles: may be none.
  worker(asio::io_context &ctx, corbel::runtime &rt, corbel::pools &pools, const corbel::host_options &options,
         corbel::host_bundles *bundles, corbel::turn_figures &figures)
      : ctx_(ctx),
        rt_(rt),
        figures_(figures),
        events_(pools.redis(), options.scope()),
        bundles_(bundles),
        consumer_(pools.redis(), queue(options)) {
    if (bundles) turns_.emplace(bundles->runner(), bundles->entries(), events_, patience);
    auto who = options.identity();
    auto log = [&rt](const corbel::log_line &line) { rt.log(line); };
    if (options.has_postgres) {
      requests_.emplace(pools.postgres(), who.tenant, who.project, who.instance, ctx.get_executor(), log);
      conversations_.emplace(pools.postgres(), who.tenant, who.project, ctx.get_executor(), log);
    }
    auto beat = corbel::heartbeat_of(options, "chat:proc");
    beat.load = [this] {
      const auto load = processor_.load();
      set_health(rt_, {.part = "workers",
                       .state = load < most_ ? corbel::health_state::ok : corbel::health_state::saturated,
                       .reason = std::to_string(load) + " of " + std::to_string(most_) + " messages in hand",
                       .fresh_for = 60s});
      return load;
    };
    beat.metadata = [this, &pools] {
      return R"({"pools": )" + pools.json() + R"(, "processor": )" + processor_.json() + R"(, "health": )" +
             health_json(corbel::health(rt_)) + "}";
    };
    heartbeat_.emplace(pools.redis(), std::move(beat));
    auto recorder = [&](const char *kind) {
      return corbel::latency_recorder::start(rt, pools.redis(), corbel::latency_key(who.tenant, who.project, kind, "proc"));
    };
    waited_ = recorder("task_queue_wait_ms");
    worked_ = recorder("task_exec_ms");
    set_concurrency(options.concurrency);
  }

  void set_concurrency(std::uint32_t most) {
    most_ = most;
    consumer_.set_concurrency(most);
    if (heartbeat_) heartbeat_->set_capacity(most);
    for (; running_ < most; ++running_) asio::co_spawn(ctx_, run(), asio::detached);
  }

  const corbel::processor_state &processor() const noexcept { return processor_; }

  asio::awaitable<std::size_t> drain(std::chrono::milliseconds timeout) {
    const auto end = clock_type::now() + timeout;
    auto rest = [&] {
      return std::max(std::chrono::duration_cast<std::chrono::milliseconds>(end - clock_type::now()), 100ms);
    };
    processor_.drain();
    heartbeat_->async_drain({.timeout = timeout}, asio::detached);
    corbel::call c{.timeout = timeout};
    auto left = co_await consumer_.async_drain(c, asio::use_awaitable);
    std::size_t unwritten = 0;
    if (requests_) unwritten += co_await requests_->finish(rest());
    if (conversations_) unwritten += co_await conversations_->finish(rest());
    heartbeat_.reset();
    waited_->stop();
    worked_->stop();
    co_return (left ? *left : 1) + unwritten;
  }

 private:
  corbel::queue_options queue(const corbel::host_options &options) {
    auto q = corbel::queue_of(options);
    q.interrupted = [this](const std::string &id, const std::string &body) {
      asio::co_spawn(ctx_, announce(id, body), asio::detached);
    };
    q.ignored = [this](const std::string &, const std::string &body, const std::string &) {
      if (auto task = corbel::chat_task::parse(body); task && conversations_) conversations_->ended(*task, "idle");
    };
    return q;
  }

  void log(corbel::log_level level, std::string text, std::vector<corbel::log_field> fields) const {
    rt_.log({.level = level, .part = "worker", .text = std::move(text), .fields = std::move(fields)});
  }

  /// One message after another, until the consumer is drained.
  asio::awaitable<void> run() {
    if (bundles_) (void)co_await bundles_->registry().async_ready({}, asio::use_awaitable);
    for (;;) {
      auto taken = co_await consumer_.async_take(asio::use_awaitable);
      if (!taken) break;
      auto message = *std::move(taken);
      const auto since = clock_type::now();
      if (message.put_at() != std::chrono::system_clock::time_point{} && message.attempt() == 1)
        waited_->record(
            std::max(std::chrono::system_clock::now() - message.put_at(), std::chrono::system_clock::duration(0)));
      auto task = corbel::chat_task::parse(message.body());
      const auto number = processor_.claimed({.task_id = message.id(),
                                              .queue_key = std::string(message.lane()),
                                              .inflight_key = std::string(message.lane()),
                                              .bundle_id = task ? task->bundle_id : std::string()});
      outcome o;
      if (task)
        o = co_await handle(*task, message.attempt(), number);
      else
        o = unreadable(message, task.error());
      corbel::call c{.timeout = patience};
      auto settled = co_await message.async_settle(o.how, c, asio::use_awaitable);
      processor_.ended(number);
      if (!settled)
        o.text = "not settled: " + settled.error().message(), o.error_class = status_name(settled.error().code());
      else if (!*settled)
        o.text = "the lease had been lost: the message is worked by another as well", o.error_class = "lease_lost";
      else if (task && o.how.how == corbel::settle::done)
        ended(*task, o.failed ? "error" : "idle", o.failed ? "failed" : "success");
      auto fields = corbel::task_fields(message.id(), message.attempt(), task ? &*task : nullptr, o.error_class);
      const auto took = clock_type::now() - since;
      worked_->record(took);
      figures_.ended(!o.bundle.empty() || !task ? o.bundle : task->bundle_id, o.error_class.empty() && !o.failed, took);
      fields.push_back({"ms", std::to_string(took / 1ms)});
      log(o.error_class.empty() ? corbel::log_level::info : corbel::log_level::warning, o.text, std::move(fields));
    }
  }

  outcome unreadable(const corbel::message &m, const corbel::error &why) {
    if (requests_) requests_->ended(m.id(), "failed", 0);
    outcome o{corbel::settle::bury, "buried a message that cannot be read: " + why.message(), status_name(why.code())};
    o.how.reason = why.message();
    return o;
  }

  asio::awaitable<outcome> handle(const corbel::chat_task &task, std::uint32_t attempt, std::uint64_t number) {
    processor_.started(number);
    if (conversations_) conversations_->started(task);
    auto active = [this, number](const std::string &kind) { processor_.activity(number, kind); };
    if (turns_) co_return of_turn(task, co_await turns_->run(task, attempt, active));
    const auto counted = count_words(task.text);
    for (auto &event : word_count_events(task, counted)) {
      active(event.event);
      auto told = co_await events_.publish_surely(std::move(event), patience);
      if (told) continue;
      outcome o{corbel::settle::retry, "could not publish, the message is worked again: " + told.error().message(),
                status_name(told.error().code())};
      o.how.reason = told.error().message();
      co_return o;
    }
    if (requests_) requests_->ended(task.task_id, "completed", std::int64_t(counted.words));
    co_return outcome{};
  }

  outcome of_turn(const corbel::chat_task &task, corbel::turn_end end) {
    using how = corbel::turn_end::how;
    outcome o{end.what == how::done   ? corbel::settle::done
              : end.what == how::bury ? corbel::settle::bury
                                      : corbel::settle::retry,
              end.text, end.error_class, end.failed, end.bundle};
    if (end.what != how::done) o.how.reason = end.text;
    if (end.failed) processor_.failed(end.text);
    if (requests_ && end.what != how::retry) requests_->ended(task.task_id, end.failed ? "failed" : "completed", 0);
    return o;
  }

  void ended(const corbel::chat_task &task, const char *state, const char *completion) {
    if (!conversations_) return;
    conversations_->ended(task, state);
    asio::co_spawn(ctx_, tell(conversation_status(task, state, completion)), asio::detached);
  }

  asio::awaitable<void> tell(corbel::relay_message m) { (void)co_await events_.publish_surely(std::move(m), patience); }

  /// Tells the session of a turn whose worker died, and that is not run again.
  asio::awaitable<void> announce(std::string id, std::string body) {
    processor_.interrupted();
    auto task = corbel::chat_task::parse(body);
    log(corbel::log_level::warning, "its worker was lost after it had started: not run again",
        corbel::task_fields(id, 1, task ? &*task : nullptr, "turn_interrupted"));
    if (!task) co_return;
    if (requests_) requests_->ended(id, "failed", 0);
    ended(*task, "error", "interrupted");
    co_await tell(turn_interrupted(*task));
  }

  asio::io_context &ctx_;
  corbel::runtime &rt_;
  corbel::processor_state processor_;
  corbel::turn_figures &figures_;
  corbel::relay_publisher events_;
  std::optional<corbel::request_table> requests_;
  std::optional<corbel::conversation_state> conversations_;
  std::optional<corbel::queue_heartbeat> heartbeat_;
  std::shared_ptr<corbel::latency_recorder> waited_, worked_;
  corbel::host_bundles *bundles_;
  std::optional<corbel::bundle_turns> turns_;
  std::uint32_t most_ = 0, running_ = 0;  // messages in hand at once; coroutines that take them
  corbel::consumer consumer_;
};

int serve(corbel::host_options options) {
  asio::io_context ctx{1};
  corbel::runtime rt(ctx, options.runtime("proc"));
  corbel::pools pools(rt, options.settings());
  corbel::gateway_config config(rt, pools.redis(), options.load);
  pools.follow(config);
  const corbel::redis_monitor monitor(pools.redis());
  auto log = [&rt](const corbel::log_line &line) { rt.log(line); };
  corbel::turn_figures figures;
  auto bundles = corbel::host_bundles::open(
      rt, pools.redis(), options,
      [&figures](const std::string &bundle, const std::string &economics) { figures.economics(bundle, economics); });
  worker w(ctx, rt, pools, options, bundles.get(), figures);
  const corbel::document_follower follower(config, options, ctx.get_executor(),
                                           [&w](const corbel::host_options &now) { w.set_concurrency(now.concurrency); });

  corbel::http_server *serving = nullptr;
  corbel::http_router routes;
  corbel::add_health_routes(routes, rt, [&](bool draining) {
    auto all = bundles ? bundles->loader().status() : std::vector<corbel::bundle_status>();
    if (bundles && !bundles->entries()()) all.emplace_back().id = "_internal";  // the registry was not read yet
    return corbel::proc_health(options.identity(), draining, all);
  });
  w.processor().add_route(routes, options.identity());
  corbel::add_metrics_route(routes, rt, [&](corbel::detail::metrics_writer &to) {
    write_metrics(to, serving->stats());
    figures.write_metrics(to);
  });
  const corbel::token_guard guard(rt, options.operations_token);
  if (bundles) bundles->add_routes(routes, guard);
  corbel::operations_routes::add(routes, guard,
                                 {.rt = rt,
                                  .queue = corbel::queue_inspector(pools.redis(), corbel::queue_of(options)),
                                  .pools = pools,
                                  .bundles = &figures,
                                  .drain = corbel::drain_host});
  corbel::http_server server(ctx.get_executor(), std::move(routes), {}, log);
  serving = &server;
  return corbel::run_host(ctx, rt, server, options,
                          {.work = [&](std::chrono::milliseconds timeout) { return w.drain(timeout); }});
}

}  // namespace

int main(int argc, char **argv) {
  const corbel::host_kind kind{
      .name = "proc",
      .description = "Works the queue by the handlers of bundles, or counts words, and publishes the result.",
      .port = 8020,
      .port_variable = "CHAT_PROCESSOR_PORT",
      .works_queue = true};
  return corbel::start_host(kind, argc, argv, serve);
}
