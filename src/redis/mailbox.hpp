#pragma once
/// Owns: the notices of one subscription that wait for its reader, see notice_mailbox. Thread: any.

#include "base/notice_mailbox.hpp"

#include <corbel/redis_subscription.hpp>

namespace corbel::detail {

class redis_mailbox final : public notice_mailbox<redis_notice> {
 public:
  explicit redis_mailbox(std::size_t limit) noexcept : notice_mailbox(limit, "redis") {}
};

}  // namespace corbel::detail
