#include "queue/consumer_core.hpp"

#include "queue/limits.hpp"
#include "queue/message_id.hpp"
#include "redis/pool_core.hpp"

#include <fmt/format.h>

namespace corbel::detail {

using namespace std::chrono_literals;

namespace {
constexpr std::chrono::milliseconds a_while{1000}, a_moment{50}, ahead_patience{20};
}  // namespace

std::shared_ptr<consumer_core> consumer_core::open(const redis_pool &pool, queue_options options) {
  check_consumer(options);
  if (auto why = pool.core()->refusal()) throw failure(why);
  auto core = std::make_shared<consumer_core>(pool, std::move(options));
  core->number_ = pool.core()->runtime().enlist(core);
  core->ticket_base_ = runtime_core::ticket_base(core->number_);
  core->on_loop([](consumer_core &c) { c.begin(); });
  return std::shared_ptr<consumer_core>(core.get(), [core](consumer_core *) mutable {
    if (core->forked()) return leave_to_parent(std::move(core));
    if (!core->ended_) core->on_loop([](consumer_core &c) { c.release(); });
    core.reset();
  });
}

consumer_core::consumer_core(const redis_pool &pool, queue_options options)
    : options_(std::move(options)),
      pool_(pool),
      protocol_(make_protocol(options_, pool.core()->runtime().instance())),
      name_(make_message_id().substr(0, 16)),
      plan_(options_.concurrency, options_.prefetch,
            options_.layout == queue_layout::native && options_.crashed == after_crash::retry),
      rotation_(protocol_->lanes()),
      random_(std::random_device{}()),
      settler_(std::make_shared<settler>(pool, protocol_, name_)),
      poll_timer_(pool.executor()),
      ahead_timer_(pool.executor()),
      armed_timer_(pool.executor()),
      metrics_(pool.core()->runtime(), options_, queue_metrics::side::consumer, counters_) {
  counters_->capacity = options_.concurrency;
}

consumer_core::~consumer_core() { pool_.core()->runtime().delist(number_); }

void consumer_core::begin() {
  if (plan_.stopped()) return;
  auto with_core = [weak = weak_from_this()](auto f) {
    return [weak, f](const auto &...args) {
      if (auto core = weak.lock()) f(*core, args...);
    };
  };
  leases_ = std::make_shared<lease_keeper>(pool_, protocol_, options_.lease,
                                           with_core([](consumer_core &c, std::uint64_t token) { c.lost(token); }));
  const reap_request how{
      .name = name_, .lease = options_.lease, .max_attempts = options_.max_attempts, .crashed = options_.crashed};
  reaper_ = std::make_shared<reaper>(pool_, protocol_, how,
                                     with_core([](consumer_core &c, const reap_answer &a) { c.reaped(a); }));
  const auto woken = with_core([](consumer_core &c) {
    c.cannot_peek_ = false;
    c.plan_.woken();
    c.step();
  });
  promoter_ = std::make_shared<promoter>(pool_, protocol_, woken);
  peeks_ = peek_hub::of(pool_);
  waiter_ = {.lists = protocol_->ready_lists(),
             .woken = woken,
             .refused = with_core([](consumer_core &c, const error &why) {
               if (!std::exchange(c.cannot_peek_, true))
                 c.log(log_level::warning, fmt::format("no connection to wait on: {}; looking for messages every {} ms",
                                                       why.message(), a_moment.count()));
               c.poll_after(a_moment);
             })};
  if (options_.layout == queue_layout::native)
    waiter_.arm = [weak = weak_from_this()](redis_lease &lease, std::chrono::milliseconds timeout) {
      auto core = weak.lock();
      return core && core->arm(lease, timeout);
    };
  follower_ =
      pool_.core()->followers().add({.up = with_core([](consumer_core &c) { c.reconnected(); }),
                                     .closing =
                                         [weak = std::weak_ptr(peeks_)] {
                                           if (auto hub = weak.lock()) hub->close();
                                         },
                                     .closed = with_core([](consumer_core &c, const error &why) { c.pool_ended(why); })});
  if (auto why = pool_.core()->refusal()) return pool_ended(why);
  sampler_ = queue_sampler::of(pool_, protocol_, options_);
  reaper_->start();
  promoter_->start();
  step();
}

void consumer_core::set_concurrency(std::uint32_t concurrency) {
  check_concurrency(concurrency);
  if (ended_) return;
  on_loop([concurrency](consumer_core &self) {
    self.plan_.set_concurrency(concurrency);
    self.counters_->capacity = concurrency;
    self.step();
  });
}

void consumer_core::step() {
  batch_scope batch;
  const auto todo = plan_.next();
  if (todo.hand_back > 0) hand_back(todo.hand_back);
  for (std::uint32_t i = 0; i < todo.deliver; ++i) {
    auto op = std::move(takers_.front().op);
    takers_.pop_front();
    auto m = std::make_shared<message_state>(shared_from_this(), std::move(buffered_.front()));
    buffered_.pop_front();
    out_.emplace(m->claimed->token, m);
    finish(std::move(op), result<message_ptr>(std::move(m)));
  }
  counters_->in_hand.store(plan_.out(), std::memory_order_relaxed);
  counters_->buffered.store(plan_.buffered(), std::memory_order_relaxed);
  if (todo.deliver > 0) ++deliveries_;
  if (plan_.has_ahead()) watch_ahead();
  if (todo.claim > 0) claim(todo.claim);
  if (plan_.is_armed_for_nobody()) disarm_later();
  if (!plan_.stopped()) rest(todo.then);
}

void consumer_core::rest(claim_plan::rest how) {
  if (how == claim_plan::rest::till_woken) {
    peeks_->wait(waiter_);
    if (cannot_peek_) poll_after(a_moment);
  } else if (how != claim_plan::rest::none) {
    poll_after(how == claim_plan::rest::a_moment ? a_moment : a_while);
  }
}

/// Messages that were claimed because those before were worked fast must not wait behind one that is not.
void consumer_core::watch_ahead() {
  if (std::exchange(watching_ahead_, true)) return;
  ahead_timer_.expires_after(ahead_patience);
  ahead_timer_.async_wait([self = shared_from_this(), before = deliveries_](const boost::system::error_code &) {
    self->watching_ahead_ = false;
    if (self->plan_.has_ahead() && self->deliveries_ == before) self->plan_.stalled();
    self->step();
  });
}

void consumer_core::poll_after(std::chrono::milliseconds pause) {
  if (plan_.stopped() || std::exchange(polling_, true)) return;
  poll_timer_.expires_after(pause);
  poll_timer_.async_wait([self = shared_from_this()](const boost::system::error_code &cancelled) {
    self->polling_ = false;
    if (cancelled) return;
    self->plan_.rested();
    self->step();
  });
}

void consumer_core::reconnected() {
  batch_scope batch;
  leases_->reconnected();
  reaper_->reconnected();
  recall();
  plan_.reconnected();
  step();
}

void consumer_core::reaped(const reap_answer &a) {
  counters_->brought_back.add(a.back);
  counters_->buried.add(a.buried - a.interrupted.size());
  counters_->interrupted.add(a.interrupted.size());
  if (a.back > 0) log(log_level::warning, fmt::format("{} messages of lost workers are ready again", a.back));
  if (a.buried > 0) log(log_level::warning, fmt::format("{} messages of lost workers went to the dead list", a.buried));
  if (options_.interrupted)
    for (const auto &m : a.interrupted) options_.interrupted(m.id, m.body);
  if (a.back == 0) return;
  plan_.woken();
  step();
}

}  // namespace corbel::detail
