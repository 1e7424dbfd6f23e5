#include "redis/mailbox.hpp"

#include <atomic>

namespace corbel::detail {

std::uint64_t redis_mailbox::next_id() noexcept {
  static std::atomic<std::uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

void redis_mailbox::put(redis_notice n) {
  {
    std::lock_guard lock(mutex_);
    if (closed_) return;
    if (notices_.size() >= limit_) {
      auto oldest = std::move(notices_.front());
      notices_.pop_front();
      dropped_ += oldest.dropped + (oldest.type == redis_notice::kind::message ? 1 : 0);
      // What was lost is told by the oldest that is left.
      if (!notices_.empty()) notices_.front().dropped += std::exchange(dropped_, 0);
    }
    n.dropped += std::exchange(dropped_, 0);
    notices_.push_back(std::move(n));
    if (enlisted_ || (!reader_ && !on_put_)) return;
    if (batch_scope::at_end(batch_scope::wake, *this)) {
      enlisted_ = shared_from_this();
      return;
    }
  }
  end_of_batch();
}

std::vector<redis_notice> redis_mailbox::all() {
  std::vector<redis_notice> out(std::make_move_iterator(notices_.begin()), std::make_move_iterator(notices_.end()));
  notices_.clear();
  return out;
}

void redis_mailbox::end_of_batch() noexcept {
  std::shared_ptr<redis_mailbox> keep;
  reader r;
  std::vector<redis_notice> notices;
  {
    std::unique_lock lock(mutex_);
    keep = std::move(enlisted_);
    if (auto tell = on_put_) {
      lock.unlock();
      return tell();
    }
    if (!reader_ || notices_.empty()) return;
    r = std::move(reader_);
    notices = all();
  }
  finish(std::move(r), result<std::vector<redis_notice>>(std::move(notices)));
}

void redis_mailbox::receive(reader r) {
  std::vector<redis_notice> notices;
  error why;
  {
    std::lock_guard lock(mutex_);
    if (reader_) {
      why = error(status::state, "one receive at a time: another one waits on this subscription", "redis");
    } else if (!notices_.empty()) {
      notices = all();
    } else if (closed_) {
      why = closed_;
    } else {
      reader_ = std::move(r);
      return;
    }
  }
  finish(std::move(r), why ? result<std::vector<redis_notice>>(why) : result<std::vector<redis_notice>>(std::move(notices)));
}

void redis_mailbox::cancel_receive() {
  reader r;
  {
    std::lock_guard lock(mutex_);
    r = std::move(reader_);
  }
  if (r)
    finish(std::move(r), result<std::vector<redis_notice>>(error(status::cancelled, "the receive was cancelled", "redis")));
}

bool redis_mailbox::take(redis_notice &out) {
  std::lock_guard lock(mutex_);
  if (notices_.empty()) return false;
  out = std::move(notices_.front());
  notices_.pop_front();
  return true;
}

void redis_mailbox::on_put(std::function<void()> fn) {
  std::lock_guard lock(mutex_);
  on_put_ = std::move(fn);
}

void redis_mailbox::discard() {
  std::deque<redis_notice> dropped;
  {
    std::lock_guard lock(mutex_);
    on_put_ = nullptr;
    dropped.swap(notices_);
  }
  close(error(status::cancelled, "the subscription was freed", "redis"));
}

void redis_mailbox::close(error why) {
  reader r;
  {
    std::lock_guard lock(mutex_);
    if (closed_) return;
    closed_ = why;
    r = std::move(reader_);
  }
  if (r) finish(std::move(r), result<std::vector<redis_notice>>(std::move(why)));
}

}  // namespace corbel::detail
