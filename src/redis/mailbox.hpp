#pragma once
/// Owns: the notices of one subscription that wait for its reader: bounded, the oldest are dropped and counted. Callers: the
/// subscriber puts, the reader takes. Thread: any.

#include "base/batch.hpp"

#include <corbel/redis_subscription.hpp>

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace corbel::detail {

class redis_mailbox final : public std::enable_shared_from_this<redis_mailbox>, private batch_scope::task {
 public:
  using reader = operation_ptr<std::vector<redis_notice>>;

  explicit redis_mailbox(std::size_t limit) noexcept : limit_(limit == 0 ? 1 : limit) {}

  /// Called after a put, outside the lock, instead of waking a reader.
  void on_put(std::function<void()> fn);

  void put(redis_notice n);
  /// Nothing more will come: the reader ends with `why`, now or when all is read.
  void close(error why);
  /// The subscription is gone: what is there is dropped, and nothing more is taken on.
  void discard();
  void receive(reader r);
  void cancel_receive();
  /// The oldest; false when there is none.
  bool take(redis_notice &out);

  const std::uint64_t id = next_id();

 private:
  static std::uint64_t next_id() noexcept;
  void end_of_batch() noexcept override;
  std::vector<redis_notice> all();  // under the lock

  const std::size_t limit_;
  std::mutex mutex_;
  std::deque<redis_notice> notices_;
  std::uint64_t dropped_ = 0;
  reader reader_;
  error closed_;
  std::function<void()> on_put_;
  std::shared_ptr<redis_mailbox> enlisted_;
};

}  // namespace corbel::detail
