#include "queue/lease_keeper.hpp"

namespace corbel::detail {

lease_keeper::lease_keeper(const redis_pool &pool, std::shared_ptr<const queue_keys> keys, std::chrono::milliseconds lease)
    : pool_(pool), keys_(std::move(keys)), lease_(lease), clock_(lease), timer_(pool.executor()) {}

void lease_keeper::hold(std::uint64_t token, std::string id, std::string holder, lease_clock::clock::time_point since) {
  if (stopped_) return;
  held_.emplace(token, std::pair(std::move(id), std::move(holder)));
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
  std::vector<std::pair<std::string, std::string>> all;
  all.reserve(held_.size());
  for (auto &[token, held] : held_) all.push_back(held);
  auto [script, command] = renew_call(*keys_, lease_, all);
  async_run(pool_, script, std::move(command), {.timeout = clock_.period()},
            [self = shared_from_this()](result<redis_reply> r) { self->renewed(r); });
}

void lease_keeper::renewed(const result<redis_reply> &r) {
  if (stopped_) return;
  if (r) {
    for (const auto &lost : r->root().elements())
      std::erase_if(held_, [&](const auto &h) { return h.second.second == lost.text(); });
  }
  clock_.renewal_done(r.has_value(), lease_clock::clock::now());
  arm();
}

}  // namespace corbel::detail
