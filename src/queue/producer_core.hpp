#pragma once
/// Owns: the writing side of a queue. Callers: producer, the C API. Thread: any; nothing changes after construction, and
/// what is under way belongs to the pool.

#include "queue/queue_keys.hpp"

namespace corbel::detail {

class producer_core {
 public:
  /// Throws failure when an option is wrong.
  producer_core(const redis_pool &pool, const queue_options &options);

  const redis_pool &pool() const noexcept { return pool_; }
  // ticket: of the pool, by which the call can be cancelled; 0: none is needed.
  void put(std::vector<put_item> items, call c, operation_ptr<put_receipt> op, std::uint64_t ticket = 0) const;
  void depth(call c, operation_ptr<std::int64_t> op, std::uint64_t ticket = 0) const;

 private:
  redis_pool pool_;
  queue_keys keys_;
};

}  // namespace corbel::detail
