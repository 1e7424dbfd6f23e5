#pragma once
/// Owns: the notices of one listener that wait for its reader, see notice_mailbox. Thread: any.

#include "base/notice_mailbox.hpp"

#include <corbel/pg_listener.hpp>

namespace corbel::detail {

class pg_mailbox final : public notice_mailbox<pg_notice> {
 public:
  explicit pg_mailbox(std::size_t limit) noexcept : notice_mailbox(limit, "postgres") {}
};

}  // namespace corbel::detail
