#include "redis/protocol/reply_builder.hpp"

#include <cstring>
#include <new>

namespace corbel {

redisReplyObjectFunctions *reply_builder::functions() noexcept {
  static redisReplyObjectFunctions table = [] {
    redisReplyObjectFunctions f{};
    f.createString = string;
    f.createArray = array;
    f.createInteger = integer;
    f.createNil = nil;
    f.freeObject = free_root;
    return f;
  }();
  return &table;
}

redis_node *reply_builder::place(const redisReadTask *task, std::size_t extra) {
  auto &self = of(task);
  if (!task->parent) {
    self.block_ = reply_block::make(extra);
    return &self.block_->root;
  }
  auto *parent = task->parent->parent ? static_cast<redis_node *>(task->parent->obj) : &self.block_->root;
  return static_cast<redis_node *>(const_cast<void *>(parent->data_)) + task->idx;
}

void *reply_builder::object(const redisReadTask *task, redis_node *node) noexcept {
  return task->parent ? static_cast<void *>(node) : static_cast<void *>(of(task).block_);
}

void *reply_builder::string(const redisReadTask *task, char *text, std::size_t size) try {
  auto *node = place(task, size + 1);
  auto *bytes = static_cast<char *>(of(task).block_->take(size + 1, 1));
  std::memcpy(bytes, text, size);
  bytes[size] = 0;
  node->data_ = bytes;
  node->size_ = size;
  node->kind_ = task->type == REDIS_REPLY_STATUS  ? redis_node::kind::status
                : task->type == REDIS_REPLY_ERROR ? redis_node::kind::error
                                                  : redis_node::kind::string;
  return object(task, node);
} catch (const std::bad_alloc &) {
  return nullptr;
}

void *reply_builder::array_of(const redisReadTask *task, std::size_t count) try {
  auto &self = of(task);
  if (count > self.max_elements_ - self.elements_) {
    self.passed_ = limit::elements;
    return nullptr;
  }
  std::uint32_t depth = 1;
  for (auto *t = task->parent; t; t = t->parent) ++depth;
  if (depth > self.max_depth_) {
    self.passed_ = limit::depth;
    return nullptr;
  }
  self.elements_ += count;
  constexpr std::size_t likely_bytes = 48, most = 4096;
  const std::size_t strings = count * likely_bytes < most ? count * likely_bytes : most;
  auto *node = place(task, count * sizeof(redis_node) + strings);
  auto *nodes = static_cast<redis_node *>(self.block_->take(count * sizeof(redis_node), alignof(redis_node)));
  for (std::size_t i = 0; i < count; ++i) new (nodes + i) redis_node;
  node->data_ = nodes;
  node->size_ = count;
  node->kind_ = redis_node::kind::array;
  return object(task, node);
} catch (const std::bad_alloc &) {
  return nullptr;
}

#if HIREDIS_MAJOR >= 1
void *reply_builder::array(const redisReadTask *task, std::size_t count) { return array_of(task, count); }
#else
void *reply_builder::array(const redisReadTask *task, int count) {
  return array_of(task, count < 0 ? 0u : static_cast<std::size_t>(count));
}
#endif

void *reply_builder::integer(const redisReadTask *task, long long value) try {
  auto *node = place(task, 0);
  node->integer_ = value;
  node->kind_ = redis_node::kind::integer;
  return object(task, node);
} catch (const std::bad_alloc &) {
  return nullptr;
}

void *reply_builder::nil(const redisReadTask *task) try {
  auto *node = place(task, 0);
  node->kind_ = redis_node::kind::nil;
  return object(task, node);
} catch (const std::bad_alloc &) {
  return nullptr;
}

void reply_builder::free_root(void *root) {
  if (root) static_cast<reply_block *>(root)->release();
}

}  // namespace corbel
