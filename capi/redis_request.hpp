#pragma once
/// Owns: a Redis command of the C API, which ends as an event.

#include "capi/event_operation.hpp"

#include <memory>
#include <string>

namespace corbel::capi {

/// A command whose reply is the object of CORBEL_EVENT_REPLY.
class reply_request final : public detail::redis_request {
 public:
  reply_request(redis_command c, completion to) : redis_request(std::move(c)), to_(std::move(to)) { ticket = to_.ticket(); }

  /// When the server does not know the script, EVAL with this source is sent instead, once.
  void fall_back_to(std::string script, std::shared_ptr<detail::redis_pool_core> pool) {
    script_ = std::move(script);
    pool_ = std::move(pool);
  }

  void finish(result<redis_reply> r) noexcept override;

 private:
  completion to_;
  std::string script_;
  std::shared_ptr<detail::redis_pool_core> pool_;
};

}  // namespace corbel::capi
