#pragma once
/// Owns: the functions that hiredis' reader calls to build our reply tree, and the limits it must keep. Callers:
/// reply_reader. Thread: one at a time.

#include "redis/protocol/reply_block.hpp"

#include <hiredis/hiredis.h>

#include <cstdint>

namespace corbel {

class reply_builder {
 public:
  reply_builder(std::uint64_t max_elements, std::uint32_t max_depth) noexcept
      : max_elements_(max_elements), max_depth_(max_depth) {}

  static redisReplyObjectFunctions *functions() noexcept;

  enum class limit { none, elements, depth };
  /// Which limit a declared array passed.
  limit passed() const noexcept { return passed_; }
  void begin_reply() noexcept { elements_ = 0; }

 private:
  static void *string(const redisReadTask *task, char *text, std::size_t size);
#if HIREDIS_MAJOR >= 1
  static void *array(const redisReadTask *task, std::size_t count);
#else
  static void *array(const redisReadTask *task, int count);
#endif
  static void *integer(const redisReadTask *task, long long value);
  static void *nil(const redisReadTask *task);
  static void *array_of(const redisReadTask *task, std::size_t count);
  static void free_root(void *root);

  static reply_builder &of(const redisReadTask *task) noexcept { return *static_cast<reply_builder *>(task->privdata); }
  /// The node to fill, in a block that has at least `extra` bytes when the node is the root.
  static redis_node *place(const redisReadTask *task, std::size_t extra);
  static void *object(const redisReadTask *task, redis_node *node) noexcept;

  std::uint64_t max_elements_, elements_ = 0;
  std::uint32_t max_depth_;
  limit passed_ = limit::none;
  reply_block *block_ = nullptr;  // the reply being built; owned by the reader until it hands it over
};

}  // namespace corbel
