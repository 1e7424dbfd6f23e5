#pragma once
/// Owns: a Redis command of the C API, which ends as an event.

#include "capi/event_operation.hpp"

#include <corbel/detail/block_cache.hpp>

#include <memory>
#include <string>

namespace corbel::capi {

/// A command whose reply is the object of CORBEL_EVENT_REPLY.
class reply_request final : public detail::redis_request, public detail::event_queue::remnant {
 public:
  reply_request(redis_command c, completion to) : redis_request(std::move(c)), to_(std::move(to)) { ticket = to_.ticket(); }

  /// When the server does not know the script, EVAL with this source is sent instead, once.
  void fall_back_to(std::string script, std::shared_ptr<detail::redis_pool_core> pool) {
    script_ = std::move(script);
    pool_ = std::move(pool);
  }

  void finish(result<redis_reply> r) noexcept override;

  static void *operator new(std::size_t) { return detail::block_cache::allocate(); }
  static void operator delete(void *memory) noexcept { detail::block_cache::release(memory); }

 private:
  completion to_;
  std::string script_;
  std::shared_ptr<detail::redis_pool_core> pool_;
};

static_assert(sizeof(reply_request) <= detail::block_cache::block_size);

}  // namespace corbel::capi
