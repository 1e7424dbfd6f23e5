#include "queue/lease_keeper.hpp"

#include "base/batch.hpp"

namespace corbel::detail {

lease_keeper::lease_keeper(const redis_pool &pool, std::shared_ptr<const queue_protocol> protocol,
                           std::chrono::milliseconds lease, std::function<void(std::uint64_t)> lost)
    : pool_(pool),
      protocol_(std::move(protocol)),
      lease_(lease),
      lost_(std::move(lost)),
      clock_(lease),
      timer_(pool.executor()) {}

void lease_keeper::hold(claimed_ptr m, lease_clock::clock::time_point since) {
  if (stopped_) return;
  const auto token = m->token;
  held_.emplace(token, std::move(m));
  if (clock_.idle()) {
    clock_.began(since);
    arm();
  }
}

void lease_keeper::release(std::uint64_t token) {
  // The timer stays: a consumer that takes one message at a time would set it anew for each.
  held_.erase(token);
}

void lease_keeper::reconnected() {
  clock_.reconnected(lease_clock::clock::now());
  arm();
}

void lease_keeper::stop() {
  stopped_ = true;
  held_.clear();
  lost_ = nullptr;
  clock_.ended();
  timer_.cancel();
}

void lease_keeper::arm() {
  auto at = clock_.due();
  if (!at) return;
  timer_.expires_at(*at);
  timer_.async_wait([self = shared_from_this()](const boost::system::error_code &cancelled) {
    if (!cancelled) self->due();
  });
}

void lease_keeper::due() {
  auto at = clock_.due();
  if (!at) return;
  const auto now = lease_clock::clock::now();
  if (held_.empty()) return clock_.ended();
  if (*at > now) return arm();
  clock_.renewal_started(now);
  renew();
}

void lease_keeper::renew() {
  std::vector<claimed_ptr> all;
  all.reserve(held_.size());
  for (auto &[token, m] : held_) all.push_back(m);
  auto [script, command] = protocol_->renew(lease_, all);
  async_run(pool_, script, std::move(command), {.timeout = clock_.period()},
            [self = shared_from_this(), all](result<redis_reply> r) { self->renewed(all, r); });
}

void lease_keeper::renewed(const std::vector<claimed_ptr> &all, const result<redis_reply> &r) {
  if (stopped_) return;
  batch_scope batch;
  clock_.renewal_done(r.has_value(), lease_clock::clock::now());
  arm();
  if (!r) return;
  for (const auto token : protocol_->read_renew(r->root(), all))
    if (held_.erase(token) > 0 && lost_) lost_(token);
}

}  // namespace corbel::detail
