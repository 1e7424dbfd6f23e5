// Claims on their way, and what becomes of those whose answers are lost.
#include "queue/consumer_core.hpp"

#include <fmt/format.h>

namespace corbel::detail {

namespace {
constexpr std::chrono::milliseconds armed_patience{1000};
constexpr int recall_tries = 3;
}  // namespace

claim_request consumer_core::next_claim(std::uint32_t most) {
  return {.most = most,
          .lease = options_.lease,
          .claim = fmt::format("{}.{:08x}", name_, ++claims_),
          .turns = rotation_.turns(most)};
}

void consumer_core::claim(std::uint32_t most) {
  const auto request = next_claim(most);
  claim_call::start(pool_, protocol_, request,
                    [self = shared_from_this(), request, since = lease_clock::clock::now()](result<claim_answer> r) {
                      self->claimed(request, since, r);
                    });
  batch_scope::write_now();
}

/// Sends a claim that runs once something is ready.
bool consumer_core::arm(redis_lease &lease, std::chrono::milliseconds timeout) {
  plan_.measure(lease_clock::clock::now());
  const auto most = plan_.arm();
  if (most == 0) return false;
  const auto request = next_claim(most);
  claim_call::start_on(
      lease, timeout, pool_, protocol_, request, [self = shared_from_this(), request](result<claim_answer> r) {
        const auto now = lease_clock::clock::now();  // its lease began a moment ago, when there was something
        const bool given_up = std::exchange(self->disarming_, false);
        if (r || !(given_up || r.error().is(status::cancelled) || r.error().is(status::closed)))
          return self->claimed(request, now, r);
        self->recall({request.claim, now + self->options_.lease}, true);
      });
  return true;
}

void consumer_core::disarm() {
  if (!plan_.is_armed_for_nobody() || std::exchange(disarming_, true)) return;
  peeks_->forget(waiter_);
}

/// Who takes with a time-out soon comes again; what would be claimed for nobody meanwhile goes back.
void consumer_core::disarm_later() {
  if (plan_.stopped() || std::exchange(watching_armed_, true)) return;
  armed_timer_.expires_after(armed_patience);
  armed_timer_.async_wait([self = shared_from_this()](const boost::system::error_code &) {
    self->watching_armed_ = false;
    self->disarm();
  });
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

}  // namespace corbel::detail
