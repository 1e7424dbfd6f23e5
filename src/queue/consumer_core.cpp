#include "queue/consumer_core.hpp"

#include "queue/limits.hpp"
#include "queue/message_id.hpp"
#include "redis/pool_core.hpp"

#include <fmt/format.h>

namespace corbel::detail {

using namespace std::chrono_literals;

namespace {
constexpr std::chrono::milliseconds a_while{1000}, a_moment{50}, ahead_patience{20};
constexpr int recall_tries = 3;
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
  if (!plan_.stopped()) rest(todo.then);
}

void consumer_core::claim(std::uint32_t most) {
  claim_request request{.most = most,
                        .lease = options_.lease,
                        .claim = fmt::format("{}.{:08x}", name_, ++claims_),
                        .turns = rotation_.turns(most)};
  claim_call::start(pool_, protocol_, request,
                    [self = shared_from_this(), request, since = lease_clock::clock::now()](result<claim_answer> r) {
                      self->claimed(request, since, r);
                    });
  batch_scope::write_now();
}

void consumer_core::claimed(const claim_request &request, lease_clock::clock::time_point since, result<claim_answer> &r) {
  batch_scope batch;
  if (r && r->unseen) {
    recall({request.claim, since + options_.lease, true}, true);
  } else if (r) {
    take_in(*r, since);
  } else {
    claim_failed({request.claim, since + options_.lease}, r.error());
  }
  if (!lost_claims_.empty()) recall();
  step();
  check_ended();
}

void consumer_core::take_in(claim_answer &answer, lease_clock::clock::time_point since) {
  counters_->claimed.add(answer.messages.size());
  const auto now = std::chrono::system_clock::now();
  std::uint32_t got = 0;
  for (auto &m : answer.messages) {
    if (m.put_at != std::chrono::system_clock::time_point()) {
      m.waited = std::chrono::duration_cast<std::chrono::milliseconds>(std::max(now - m.put_at, {}));
      counters_->wait.record(now - m.put_at);
    }
    auto held = std::make_shared<const claimed_message>(std::move(m));
    leases_->hold(held, since);
    if (!held->ignored.empty()) {
      ignore(held);
      continue;
    }
    buffered_.push_back(std::move(held));
    ++got;
  }
  plan_.measure(lease_clock::clock::now());
  plan_.claim_answered(got, answer.left, answer.full);
  if (!std::exchange(claim_trouble_, {}).empty()) log(log_level::info, "claims are answered again");
}

void consumer_core::claim_failed(lost_claim claim, const error &why) {
  if (why.is(status::closed) || why.is(status::cancelled)) {
    plan_.claim_failed(false);
    return pool_ended(why);
  }
  if (why.may_be_applied()) return recall(std::move(claim), true);
  plan_.claim_failed(false);
  if (why.is(status::unavailable) || claim_trouble_ == why.message()) return;  // of connections the pool tells
  claim_trouble_ = why.message();
  log(log_level::warning, fmt::format("cannot claim messages: {}; trying again every second", claim_trouble_));
}

/// Gives back what claims took whose answers never came; without it those messages would wait for their leases to end. More
/// than one try: a server that was stopped may serve the lost claim after the first.
void consumer_core::recall() {
  for (auto &each : std::exchange(lost_claims_, {})) recall(std::move(each), false);
}

/// under_way: the plan still waits for this claim; the next one comes after the recall, so that the order is kept.
void consumer_core::recall(lost_claim claim, bool under_way) {
  auto [script, command] = protocol_->recall(claim.name, claim.unseen);
  auto answered = [self = shared_from_this(), claim = std::move(claim), under_way](result<redis_reply> r) mutable {
    const bool found = r && r->root().integer() > 0;
    const bool in_vain = r && ++claim.unfound == recall_tries;
    if (!found && !in_vain && !self->plan_.stopped() && lease_clock::clock::now() < claim.until)
      self->lost_claims_.push_back(std::move(claim));
    if (!under_way) return;
    self->plan_.claim_failed(r.has_value());
    self->step();
    self->check_ended();
  };
  async_run(pool_, script, std::move(command), {}, std::move(answered));
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
