#include "proc_worker.hpp"

#include "host/queue.hpp"
#include "operations/task_fields.hpp"
#include "operations/turn_events.hpp"
#include "word_count_turn.hpp"

#include <corbel/health.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

using clock_type = std::chrono::steady_clock;
constexpr std::chrono::minutes patience{10};  // with a Redis that is away, before a message is given back

}  // namespace

/// How the handling of a message ended.
struct proc_worker::outcome {
  corbel::settle_request how = corbel::settle::done;
  std::string text = "done", error_class = {};
  bool failed = false;      ///< the session was told of an error
  std::string bundle = {};  ///< that worked it
};

proc_worker::proc_worker(asio::io_context &ctx, corbel::runtime &rt, corbel::pools &pools,
                         const corbel::host_options &options, corbel::host_bundles *bundles, corbel::turn_figures &figures)
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

void proc_worker::set_concurrency(std::uint32_t most) {
  most_ = most;
  consumer_.set_concurrency(most);
  if (heartbeat_) heartbeat_->set_capacity(most);
  for (; running_ < most; ++running_) asio::co_spawn(ctx_, run(), asio::detached);
}

asio::awaitable<std::size_t> proc_worker::drain(std::chrono::milliseconds timeout) {
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

corbel::queue_options proc_worker::queue(const corbel::host_options &options) {
  auto q = corbel::queue_of(options);
  q.interrupted = [this](const std::string &id, const std::string &body) {
    asio::co_spawn(ctx_, announce(id, body), asio::detached);
  };
  q.ignored = [this](const std::string &, const std::string &body, const std::string &) {
    if (auto task = corbel::chat_task::parse(body); task && conversations_) conversations_->ended(*task, "idle");
  };
  return q;
}

void proc_worker::log(corbel::log_level level, std::string text, std::vector<corbel::log_field> fields) const {
  rt_.log({.level = level, .part = "worker", .text = std::move(text), .fields = std::move(fields)});
}

/// One message after another, until the consumer is drained.
asio::awaitable<void> proc_worker::run() {
  if (bundles_) (void)co_await bundles_->registry().async_ready({}, asio::use_awaitable);
  for (;;) {
    auto taken = co_await consumer_.async_take(asio::use_awaitable);
    if (!taken) break;
    auto message = *std::move(taken);
    const auto since = clock_type::now();
    if (message.put_at() != std::chrono::system_clock::time_point{} && message.attempt() == 1)
      waited_->record(std::max(std::chrono::system_clock::now() - message.put_at(), std::chrono::system_clock::duration(0)));
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

proc_worker::outcome proc_worker::unreadable(const corbel::message &m, const corbel::error &why) {
  if (requests_) requests_->ended(m.id(), "failed", 0);
  outcome o{corbel::settle::bury, "buried a message that cannot be read: " + why.message(), status_name(why.code())};
  o.how.reason = why.message();
  return o;
}

asio::awaitable<proc_worker::outcome> proc_worker::handle(const corbel::chat_task &task, std::uint32_t attempt,
                                                          std::uint64_t number) {
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

proc_worker::outcome proc_worker::of_turn(const corbel::chat_task &task, corbel::turn_end end) {
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

void proc_worker::ended(const corbel::chat_task &task, const char *state, const char *completion) {
  if (!conversations_) return;
  conversations_->ended(task, state);
  asio::co_spawn(ctx_, tell(conversation_status(task, state, completion)), asio::detached);
}

asio::awaitable<void> proc_worker::tell(corbel::relay_message m) {
  (void)co_await events_.publish_surely(std::move(m), patience);
}

/// Tells the session of a turn whose worker died, and that is not run again.
asio::awaitable<void> proc_worker::announce(std::string id, std::string body) {
  processor_.interrupted();
  auto task = corbel::chat_task::parse(body);
  log(corbel::log_level::warning, "its worker was lost after it had started: not run again",
      corbel::task_fields(id, 1, task ? &*task : nullptr, "turn_interrupted"));
  if (!task) co_return;
  if (requests_) requests_->ended(id, "failed", 0);
  ended(*task, "error", "interrupted");
  co_await tell(turn_interrupted(*task));
}
