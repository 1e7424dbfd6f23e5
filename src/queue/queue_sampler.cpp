#include "queue/queue_sampler.hpp"

#include "queue/queue_metrics.hpp"
#include "queue/server_check.hpp"
#include "redis/pool_core.hpp"

#include <map>
#include <tuple>

namespace corbel::detail {

namespace {

using sampler_key = std::tuple<const runtime_core *, std::string, std::string>;  // runtime, server, queue

struct all_samplers {
  std::mutex mutex;
  std::map<sampler_key, std::weak_ptr<queue_sampler>> by_queue;
};
all_samplers &all() {
  static auto *samplers = new all_samplers;  // never destroyed: handles may go after static objects
  return *samplers;
}

double seconds(std::chrono::milliseconds d) { return std::chrono::duration<double>(d).count(); }

void write_metrics(metrics_writer &w, const std::string &queue, const queue_stats &s) {
  auto gauge = [&](const char *name, const char *help, std::int64_t value) {
    w.gauge(name, help, {{"queue", queue}}, static_cast<double>(value));
  };
  gauge("corbel_queue_in_flight", "Messages that consumers hold, of all processes.", s.in_flight);
  gauge("corbel_queue_delayed", "Messages that are not due yet.", s.delayed);
  gauge("corbel_queue_parked", "Messages that wait for others of their group.", s.parked);
  gauge("corbel_queue_dead", "Messages in the dead list.", s.dead);
  for (const auto &lane : s.lanes) {
    const metric_labels labels{{"queue", queue}, {"lane", lane.name}};
    w.gauge("corbel_queue_ready", "Messages that can be claimed.", labels, static_cast<double>(lane.ready));
    w.gauge("corbel_queue_oldest_age_seconds", "Since the put of the message that is claimed next.", labels,
            seconds(lane.oldest_age));
  }
}

}  // namespace

std::shared_ptr<queue_sampler> queue_sampler::of(const redis_pool &pool,
                                                 const std::shared_ptr<const queue_protocol> &protocol,
                                                 const queue_options &options) {
  auto &core = *pool.core();
  const sampler_key key{&core.runtime(), core.settings().options.url, queue_label(options)};
  std::shared_ptr<queue_sampler> fresh;
  {
    std::lock_guard lock(all().mutex);
    auto &known = all().by_queue[key];
    if (auto sampler = known.lock(); sampler && !sampler->pool_.core()->refusal()) return sampler;
    auto made = std::make_shared<queue_sampler>(pool, protocol, options);
    fresh = std::shared_ptr<queue_sampler>(made.get(), [made, key](queue_sampler *) mutable {
      if (made->pool_.core()->runtime().forked()) return leave_to_parent(std::move(made));
      {
        std::lock_guard again(all().mutex);
        if (auto at = all().by_queue.find(key); at != all().by_queue.end() && at->second.expired()) all().by_queue.erase(at);
      }
      auto executor = made->pool_.executor();
      boost::asio::dispatch(executor, [made = std::move(made)] { made->flush(); });
    });
    known = fresh;
  }
  fresh->begin();
  return fresh;
}

queue_sampler::queue_sampler(const redis_pool &pool, std::shared_ptr<const queue_protocol> protocol,
                             const queue_options &options)
    : pool_(pool), protocol_(std::move(protocol)), label_(queue_label(options)), timer_(pool.executor()) {
  if (options.layout == queue_layout::platform)
    analytics_.emplace(options.tenant, options.project, protocol_->lanes(), protocol_->ready_lists());
}

queue_sampler::~queue_sampler() {
  auto &runtime = pool_.core()->runtime();
  if (runtime.forked()) return;
  runtime.metrics().remove_source(source_);
  runtime.health().remove("queue:" + label_);
}

void queue_sampler::begin() {
  source_ = pool_.core()->runtime().metrics().add_source([seen = seen_, label = label_](metrics_writer &w) {
    std::lock_guard lock(seen->mutex);
    if (seen->stats && std::chrono::steady_clock::now() - seen->at <= good_for) write_metrics(w, label, *seen->stats);
  });
  check_queue_server(pool_, [weak = weak_from_this()](std::string warning) {
    if (auto self = weak.lock())
      self->pool_.core()->runtime().log(log_level::warning, "queue:" + self->label_, std::move(warning));
  });
  tell(health_state::unknown, "not looked at yet");
  look();
}

void queue_sampler::tell(health_state state, std::string reason) const {
  pool_.core()->runtime().health().set({.part = "queue:" + label_,
                                        .state = state,
                                        .reason = std::move(reason),
                                        .fresh_for = state == health_state::unknown ? std::chrono::seconds(0) : good_for});
}

void queue_sampler::look() {
  auto [script, command] = protocol_->stats();
  async_run(pool_, script, std::move(command), {.timeout = interval, .idempotent = true},
            [weak = weak_from_this()](const result<redis_reply> &r) {
              if (auto self = weak.lock()) self->looked(r);
            });
  timer_.expires_after(interval);
  timer_.async_wait([weak = weak_from_this()](const boost::system::error_code &cancelled) {
    auto self = weak.lock();
    if (cancelled || !self) return;
    self->flush();
    self->look();
  });
}

void queue_sampler::looked(const result<redis_reply> &r) {
  if (!r && pool_.core()->refusal()) {  // its pool was closed, whatever consumers of others do
    timer_.cancel();
    return pool_.core()->runtime().health().remove("queue:" + label_);
  }
  if (!r) return tell(health_state::degraded, "what the queue holds cannot be asked: " + r.error().message());
  {
    std::lock_guard lock(seen_->mutex);
    seen_->stats = protocol_->read_stats(r->root());
    seen_->at = std::chrono::steady_clock::now();
  }
  tell(health_state::ok, {});
}

void queue_sampler::flush() {
  if (!analytics_ || pool_.core()->refusal()) return;
  auto [script, command] = analytics_->write();
  async_run(pool_, script, std::move(command), {}, [](const result<redis_reply> &) {});
}

}  // namespace corbel::detail
