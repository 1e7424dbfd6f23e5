#include "queue/promoter.hpp"

#include "base/batch.hpp"

#include <algorithm>

namespace corbel::detail {

using namespace std::chrono_literals;

promoter::promoter(const redis_pool &pool, std::shared_ptr<const queue_protocol> protocol, std::function<void()> moved)
    : pool_(pool),
      protocol_(std::move(protocol)),
      moved_(std::move(moved)),
      random_(std::random_device{}()),
      timer_(pool.executor()) {}

void promoter::start() { promote(); }

void promoter::expect(std::chrono::milliseconds delay) {
  if (stopped_) return;
  const auto at = clock::now() + delay + 1ms;
  if (under_way_)
    due_ = std::min(due_, at);
  else if (at < due_)
    wait(at);
}

void promoter::stop() {
  stopped_ = true;
  moved_ = nullptr;
  timer_.cancel();
}

void promoter::wait(clock::time_point until) {
  due_ = until;
  timer_.expires_at(until);
  timer_.async_wait([self = shared_from_this()](const boost::system::error_code &cancelled) {
    if (!cancelled && !self->stopped_) self->promote();
  });
}

void promoter::promote() {
  under_way_ = true;
  due_ = clock::time_point::max();
  auto [script, command] = protocol_->promote();
  async_run(pool_, script, std::move(command), {},
            [self = shared_from_this()](result<redis_reply> r) { self->promoted(r); });
}

void promoter::promoted(const result<redis_reply> &r) {
  under_way_ = false;
  if (stopped_) return;
  batch_scope batch;
  // Not in step with other consumers.
  auto pause = 1000ms + std::chrono::milliseconds(std::uniform_int_distribution<int>(0, 100)(random_));
  const auto answer = r ? protocol_->read_promote(r->root()) : promote_answer{};
  if (answer.next >= 0ms) pause = std::min(pause, answer.next + 1ms);
  wait(std::min(clock::now() + pause, due_));
  if (answer.moved > 0) moved_();
}

}  // namespace corbel::detail
