#include "queue/reaper.hpp"

#include <algorithm>

namespace corbel::detail {

reaper::reaper(const redis_pool &pool, std::shared_ptr<const queue_keys> keys, std::chrono::milliseconds lease)
    : pool_(pool), keys_(std::move(keys)), lease_(lease), random_(std::random_device{}()), timer_(pool.executor()) {}

void reaper::start() { wait(); }

void reaper::reconnected() {
  if (!stopped_) wait();
}

void reaper::stop() {
  stopped_ = true;
  timer_.cancel();
}

void reaper::wait() {
  const auto period = std::max(lease_ / 3, std::chrono::milliseconds(1000));
  std::uniform_int_distribution<std::int64_t> jitter(0, period.count() / 10);
  timer_.expires_after(period + std::chrono::milliseconds(jitter(random_)));
  timer_.async_wait([self = shared_from_this()](const boost::system::error_code &cancelled) {
    if (!cancelled && !self->stopped_) self->reap(0);
  });
}

void reaper::reap(std::int64_t cursor) {
  auto [script, command] = reap_call(*keys_, lease_, cursor);
  async_run(pool_, script, std::move(command), {}, [self = shared_from_this()](result<redis_reply> r) {
    if (self->stopped_) return;
    auto next = r ? read_reap(*r).cursor : 0;
    if (next > 0)
      self->reap(next);
    else
      self->wait();
  });
}

}  // namespace corbel::detail
