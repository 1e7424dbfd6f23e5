#include "queue/consumer_core.hpp"

#include "redis/pool_core.hpp"

#include <fmt/format.h>

namespace corbel::detail {

namespace {
constexpr std::chrono::seconds poll_after{1};
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
    if (core->forked()) return (void)new auto(std::move(core));  // its locks may be held by threads that do not exist here
    if (!core->ended_) core->on_loop([](consumer_core &c) { c.release(); });
    core.reset();
  });
}

consumer_core::consumer_core(const redis_pool &pool, queue_options options)
    : options_(std::move(options)),
      pool_(pool),
      keys_(std::make_shared<queue_keys>(options_.name)),
      name_(make_message_id().substr(0, 16)),
      plan_(options_.concurrency, options_.prefetch),
      leases_(std::make_shared<lease_keeper>(pool, keys_, options_.lease)),
      reaper_(std::make_shared<reaper>(pool, keys_, options_.lease)),
      poll_timer_(pool.executor()) {}

consumer_core::~consumer_core() { pool_.core()->runtime().delist(number_); }

void consumer_core::begin() {
  if (plan_.stopped()) return;
  auto with_core = [weak = weak_from_this()](auto f) {
    if (auto core = weak.lock()) f(*core);
  };
  wakes_ = std::make_shared<wake_listener>(
      pool_, keys_,
      wake_listener::listeners{
          .woken =
              [with_core] {
                with_core([](consumer_core &c) {
                  c.plan_.woken();
                  c.step();
                });
              },
          .reconnected = [with_core] { with_core([](consumer_core &c) { c.reconnected(); }); },
          .closed = [with_core](const error &why) { with_core([&](consumer_core &c) { c.pool_ended(why); }); }});
  wakes_->start();
  reaper_->start();
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
    finish(std::move(op), result<message_ptr>(std::move(m)));
  }
  if (todo.claim > 0) claim(todo.claim);
  if (todo.poll && !plan_.stopped()) poll();
}

void consumer_core::claim(std::uint32_t most) {
  auto name = fmt::format("{}.{}", name_, ++claims_);
  auto [script, command] = claim_call(*keys_, most, options_.lease, name);
  async_run(pool_, script, std::move(command), {},
            [self = shared_from_this(), name = std::move(name), since = lease_clock::clock::now()](result<redis_reply> r) {
              self->claimed(name, since, r);
            });
}

void consumer_core::claimed(const std::string &name, lease_clock::clock::time_point since, const result<redis_reply> &r) {
  if (r) {
    auto answer = read_claim(*r, name);
    for (auto &m : answer.messages) {
      leases_->hold(m.token, m.id, m.holder, since);
      buffered_.push_back(std::move(m));
    }
    plan_.claim_answered(static_cast<std::uint32_t>(answer.messages.size()), answer.left);
    if (!std::exchange(claim_trouble_, {}).empty()) log(log_level::info, "claims are answered again");
  } else {
    claim_failed({name, since + options_.lease}, r.error());
  }
  if (!lost_claims_.empty()) recall();
  step();
  check_ended();
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
  auto [script, command] = recall_call(*keys_, claim.name);
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

void consumer_core::poll() {
  if (std::exchange(polling_, true)) return;
  poll_timer_.expires_after(poll_after);
  poll_timer_.async_wait([self = shared_from_this()](const boost::system::error_code &cancelled) {
    self->polling_ = false;
    if (cancelled) return;
    self->plan_.poll_due();
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

}  // namespace corbel::detail
