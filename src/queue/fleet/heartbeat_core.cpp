#include "queue/fleet/heartbeat_core.hpp"

#include "queue/fleet/heartbeat_text.hpp"
#include "redis/pool_core.hpp"
#include "scripts/fleet_beat.hpp"

#include <corbel/redis_script.hpp>

#include <fmt/format.h>

#include <random>
#include <unistd.h>

namespace corbel::detail {

namespace {

const redis_script &beat_script() {
  static const auto &script = *new redis_script(scripts::fleet_beat, 7);  // never destroyed: I/O threads may outlive it
  return script;
}

std::string new_life() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}", random(), random());
}

heartbeat_options checked(heartbeat_options o, const redis_pool &pool) {
  if (o.instance.empty()) o.instance = pool.core()->runtime().instance();
  if (o.capacity == 0)
    throw failure(error(status::invalid, "a heartbeat's capacity is 0: give 1 or more", "queue", "OPTION"));
  return o;
}

}  // namespace

std::shared_ptr<heartbeat_core> heartbeat_core::open(const redis_pool &pool, heartbeat_options options) {
  if (auto why = pool.core()->refusal()) throw failure(why);
  auto core = std::make_shared<heartbeat_core>(pool, std::move(options));
  core->number_ = pool.core()->runtime().enlist(core);
  core->on_loop([](heartbeat_core &c) { c.begin(); });
  return std::shared_ptr<heartbeat_core>(core.get(), [core](heartbeat_core *) mutable {
    if (core->pool_.core()->runtime().forked()) return leave_to_parent(std::move(core));
    {
      std::lock_guard lock(core->asking_);
      core->may_ask_ = false;
    }
    core->on_loop([](heartbeat_core &c) { c.release(); });
    core.reset();
  });
}

heartbeat_core::heartbeat_core(const redis_pool &pool, heartbeat_options options)
    : options_(checked(std::move(options), pool)),
      pool_(pool),
      names_(options_.tenant, options_.project, options_.service),
      pid_(::getpid()),
      process_key_(names_.process(options_.instance, pid_)),
      instance_key_(names_.instance(options_.instance)),
      draining_key_(names_.draining(options_.instance, pid_, new_life())),
      registry_key_(names_.registry(options_.instance)),
      instance_head_(instance_json(options_.instance, names_)),
      timer_(pool.executor()) {}

heartbeat_core::~heartbeat_core() { pool_.core()->runtime().delist(number_); }

/// Runs f(*this) on the loop, in the order of the calls; at once where this is the loop.
template <class F>
void heartbeat_core::on_loop(F f) {
  if (!inbox_.push(std::move(f))) return;
  boost::asio::dispatch(executor(), [self = shared_from_this()] { self->inbox_.run(*self); });
}

void heartbeat_core::begin() {
  const auto weak = weak_from_this();
  follower_ = pool_.core()->followers().add({.up =
                                                 [weak] {
                                                   if (auto core = weak.lock()) core->beat();
                                                 },
                                             .closing = {},
                                             .closed =
                                                 [weak](const error &) {
                                                   if (auto core = weak.lock()) core->stop();
                                                 }});
  if (pool_.core()->refusal()) return stop();
  beat();
}

void heartbeat_core::arm() {
  timer_.expires_after(interval);
  timer_.async_wait([weak = weak_from_this()](const boost::system::error_code &cancelled) {
    auto core = weak.lock();
    if (!cancelled && core) core->beat();
  });
}

const char *heartbeat_core::word(state s) noexcept {
  return s == state::working ? "working" : s == state::draining ? "draining" : "gone";
}

redis_command heartbeat_core::command() {
  std::uint32_t load = 0;
  std::string metadata;
  if (std::lock_guard lock(asking_); may_ask_) {
    if (options_.load) load = options_.load();
    if (options_.metadata) metadata = options_.metadata();
  }
  auto [text, good] = heartbeat_json(options_, names_, pid_, load, state_ == state::draining, metadata);
  if (!good && !std::exchange(warned_, true))
    log(log_level::warning, "the heartbeat's metadata is no JSON object: left out");
  return beat_script().command(process_key_, names_.index, instance_key_, names_.instance_index, draining_key_,
                               names_.draining_index, registry_key_, word(state_), text.head, text.tail, instance_head_,
                               names_.processes(options_.instance), good_for.count(), listed_for.count(),
                               options_.port ? std::to_string(*options_.port) : std::string());
}

/// One beat is under way at a time; it is kept while the server is away, and leaves when that is back.
void heartbeat_core::beat() {
  if (stopped_) return;
  arm();
  if (std::exchange(under_way_, true)) return (void)(again_ = true);
  async_run(pool_, beat_script(), command(), {.timeout = interval, .idempotent = true},
            [self = shared_from_this()](const result<redis_reply> &r) { self->told(r); });
}

void heartbeat_core::told(const result<redis_reply> &r) {
  under_way_ = false;
  if (!r && (r.error().is(status::closed) || r.error().is(status::cancelled))) return stop();
  if (r && !std::exchange(trouble_, {}).empty()) log(log_level::info, "heartbeats are taken again");
  if (!r && !r.error().is(status::unavailable) && trouble_ != r.error().message()) {
    trouble_ = r.error().message();
    log(log_level::warning, fmt::format("the heartbeat was not taken: {}", trouble_));
  }
  if (std::exchange(again_, false)) beat();
}

void heartbeat_core::set_capacity(std::uint32_t capacity) {
  on_loop([capacity](heartbeat_core &self) {
    if (capacity == 0 || self.options_.capacity == capacity) return;
    self.options_.capacity = capacity;
    self.beat();
  });
}

void heartbeat_core::start_drain(call c, operation_ptr<void> op) {
  if (auto why = pool_.core()->refusal()) return finish(std::move(op), result<void>(why));
  on_loop([c, op = std::move(op)](heartbeat_core &self) mutable { self.begin_drain(c, std::move(op)); });
}

/// Sent beside a beat that may be under way: whichever the server gets first, the process is out when it has both.
void heartbeat_core::begin_drain(call c, operation_ptr<void> op) {
  if (state_ == state::working) state_ = state::draining;
  if (stopped_)
    return finish(std::move(op), result<void>(error(status::closed, "the heartbeat's pool was closed", "queue")));
  c.idempotent = true;
  auto shared = std::make_shared<operation_ptr<void>>(std::move(op));
  async_run(pool_, beat_script(), command(), c, [self = shared_from_this(), shared](const result<redis_reply> &r) {
    finish(std::move(*shared), r ? result<void>() : result<void>(r.error()));
  });
}

void heartbeat_core::release() {
  if (stopped_) return;
  state_ = state::gone;
  stop();
  async_run(pool_, beat_script(), command(), {.timeout = interval, .idempotent = true},
            [self = shared_from_this()](const result<redis_reply> &) {});
}

void heartbeat_core::stop() {
  stopped_ = true;
  timer_.cancel();
  pool_.core()->followers().remove(follower_);
}

void heartbeat_core::log(log_level level, std::string text) const {
  pool_.core()->runtime().log(level, "queue:heartbeat", std::move(text));
}

loop &heartbeat_core::home() noexcept { return pool_.core()->home(); }

void heartbeat_core::drain(std::function<void()> idle) {
  stop();
  idle();
}

}  // namespace corbel::detail
