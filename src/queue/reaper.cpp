#include "queue/reaper.hpp"

#include "base/batch.hpp"
#include "redis/pool_core.hpp"

#include <algorithm>

namespace corbel::detail {

reaper::reaper(const redis_pool &pool, std::shared_ptr<const queue_protocol> protocol, reap_request how,
               std::function<void(const reap_answer &)> done)
    : pool_(pool),
      protocol_(std::move(protocol)),
      how_(std::move(how)),
      done_(std::move(done)),
      random_(std::random_device{}()),
      timer_(pool.executor()) {}

void reaper::start() { wait(); }

void reaper::reconnected() {
  if (!stopped_) wait();
}

void reaper::stop() {
  stopped_ = true;
  done_ = nullptr;
  timer_.cancel();
}

void reaper::wait() {
  const auto period = std::max(how_.lease / 3, std::chrono::milliseconds(1000));
  std::uniform_int_distribution<std::int64_t> jitter(0, period.count() / 10);
  timer_.expires_after(period + std::chrono::milliseconds(jitter(random_)));
  timer_.async_wait([self = shared_from_this()](const boost::system::error_code &cancelled) {
    if (!cancelled && !self->stopped_) self->reap(0);
  });
}

void reaper::reap(std::int64_t cursor) {
  // Kept by the pool it would be the first thing that a server hears which was away, before anybody renews a lease.
  if (!pool_.core()->is_up()) return wait();
  how_.cursor = cursor;
  auto [script, command] = protocol_->reap(how_);
  async_run(pool_, script, std::move(command), {}, [self = shared_from_this()](result<redis_reply> r) {
    if (self->stopped_) return;
    batch_scope batch;
    const auto answer = r ? self->protocol_->read_reap(r->root()) : reap_answer{};
    if (answer.cursor > 0)
      self->reap(answer.cursor);
    else
      self->wait();
    if (answer.back > 0 || answer.buried > 0 || !answer.interrupted.empty()) self->done_(answer);
  });
}

}  // namespace corbel::detail
