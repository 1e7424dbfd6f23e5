#pragma once
/// Owns: the notices of one subscription that wait for its reader: bounded, the oldest are dropped and counted. Callers: the
/// subscriber puts, the reader takes. Thread: any. Notice: has type, dropped, and kind::message.

#include "base/batch.hpp"

#include <corbel/detail/operation.hpp>

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace corbel::detail {

inline std::uint64_t next_mailbox_id() noexcept {
  static std::atomic<std::uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

template <class Notice>
class notice_mailbox : public std::enable_shared_from_this<notice_mailbox<Notice>>, private batch_scope::task {
 public:
  using batch = std::vector<Notice>;
  using reader = operation_ptr<batch>;

  /// source: of the errors made here.
  notice_mailbox(std::size_t limit, const char *source) noexcept : limit_(limit == 0 ? 1 : limit), source_(source) {}
  virtual ~notice_mailbox() = default;

  /// Called after a put, outside the lock, instead of waking a reader.
  void on_put(std::function<void()> fn) {
    std::lock_guard lock(mutex_);
    on_put_ = std::move(fn);
  }

  void put(Notice n) {
    {
      std::lock_guard lock(mutex_);
      if (closed_) return;
      if (notices_.size() >= limit_) {
        auto oldest = std::move(notices_.front());
        notices_.pop_front();
        dropped_ += oldest.dropped + (oldest.type == Notice::kind::message ? 1 : 0);
        // What was lost is told by the oldest that is left.
        if (!notices_.empty()) notices_.front().dropped += std::exchange(dropped_, 0);
      }
      n.dropped += std::exchange(dropped_, 0);
      notices_.push_back(std::move(n));
      if (enlisted_ || (!reader_ && !on_put_)) return;
      if (batch_scope::at_end(batch_scope::wake, *this)) {
        enlisted_ = this->shared_from_this();
        return;
      }
    }
    end_of_batch();
  }

  void receive(reader r) {
    batch notices;
    error why;
    {
      std::lock_guard lock(mutex_);
      if (reader_) {
        why = error(status::state, "one receive at a time: another one waits on this subscription", source_);
      } else if (!notices_.empty()) {
        notices = all();
      } else if (closed_) {
        why = closed_;
      } else {
        reader_ = std::move(r);
        return;
      }
    }
    finish(std::move(r), why ? result<batch>(why) : result<batch>(std::move(notices)));
  }
  void cancel_receive() {
    if (auto r = take_reader())
      finish(std::move(r), result<batch>(error(status::cancelled, "the receive was cancelled", source_)));
  }
  /// The oldest; false when there is none.
  bool take(Notice &out) {
    std::lock_guard lock(mutex_);
    if (notices_.empty()) return false;
    out = std::move(notices_.front());
    notices_.pop_front();
    return true;
  }
  /// The subscription is gone: what is there is dropped, and nothing more is taken on.
  void discard() {
    std::deque<Notice> dropped;
    {
      std::lock_guard lock(mutex_);
      on_put_ = nullptr;
      dropped.swap(notices_);
    }
    close(error(status::cancelled, "the subscription was freed", source_));
  }
  /// Nothing more will come: the reader ends with `why`, now or when all is read.
  void close(error why) {
    reader r;
    {
      std::lock_guard lock(mutex_);
      if (closed_) return;
      closed_ = why;
      r = std::move(reader_);
    }
    if (r) finish(std::move(r), result<batch>(std::move(why)));
  }

  const std::uint64_t id = next_mailbox_id();

 private:
  batch all() {  // under the lock
    batch out(std::make_move_iterator(notices_.begin()), std::make_move_iterator(notices_.end()));
    notices_.clear();
    return out;
  }
  reader take_reader() {
    std::lock_guard lock(mutex_);
    return std::move(reader_);
  }
  void end_of_batch() noexcept override {
    std::shared_ptr<notice_mailbox> keep;
    reader r;
    batch notices;
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
    finish(std::move(r), result<batch>(std::move(notices)));
  }

  const std::size_t limit_;
  const char *const source_;
  std::mutex mutex_;
  std::deque<Notice> notices_;
  std::uint64_t dropped_ = 0;
  reader reader_;
  error closed_;
  std::function<void()> on_put_;
  std::shared_ptr<notice_mailbox> enlisted_;
};

}  // namespace corbel::detail
