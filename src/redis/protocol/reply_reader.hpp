#pragma once
/// Owns: hiredis' reader of one connection, with limits on bytes, elements and depth of a reply. Callers: connections feed
/// bytes and take replies. Thread: the connection's. After failed nothing more can be read: replace the connection.

#include "redis/protocol/reply_builder.hpp"

#include <corbel/error.hpp>
#include <corbel/redis_reply.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace corbel {

struct reply_limits {
  std::uint64_t bytes = 64u << 20;
  std::uint64_t elements = 1u << 20;
  std::uint32_t depth = 7;
};

class reply_reader {
 public:
  explicit reply_reader(const reply_limits &limits);
  ~reply_reader();
  reply_reader(const reply_reader &) = delete;
  reply_reader &operator=(const reply_reader &) = delete;

  /// True when hiredis lets the depth be set (1.0 and later); before that it is 7.
  static bool has_settable_depth() noexcept;

  void feed(const char *data, std::size_t size);

  enum class outcome { reply, more, failed };
  /// reply: out holds the next one. failed: why says what was wrong, naming the limit when one was passed.
  outcome next(redis_reply &out, error &why);

 private:
  error explain() const;
  /// What the bulk string that is being read says it will be.
  std::uint64_t declared() const noexcept;
  reply_limits limits_;
  reply_builder builder_;
  std::unique_ptr<redisReader, void (*)(redisReader *)> reader_;
  std::uint64_t unread_ = 0;  // bytes fed since the last whole reply
};

}  // namespace corbel
