#pragma once
/// Owns: the memory of one reply: root node, further nodes and bytes, in one block with chunks behind it when it grows.
/// Callers: reply_builder fills it, redis_reply counts references. Thread: one while it is built, then any.

#include <corbel/detail/block_cache.hpp>
#include <corbel/redis_reply.hpp>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>

namespace corbel {

struct reply_block {
  std::atomic<std::uint32_t> references{1};
  redis_node root;

  /// extra: bytes expected beyond the root. Throws std::bad_alloc.
  static reply_block *make(std::size_t extra) {
    constexpr std::size_t cached = detail::block_cache::block_size;
    const bool small = sizeof(reply_block) + extra <= cached;
    if (small) extra = cached - sizeof(reply_block);
    void *memory = small ? detail::block_cache::allocate() : std::malloc(sizeof(reply_block) + extra);
    if (!memory) throw std::bad_alloc();
    auto *b = new (memory) reply_block;
    b->cached_ = small;
    b->free_ = reinterpret_cast<char *>(b + 1);
    b->end_ = b->free_ + extra;
    return b;
  }

  /// Aligned for nodes when size is a multiple of their size and only nodes came before; bytes need no alignment.
  void *take(std::size_t size, std::size_t alignment) {
    auto address = reinterpret_cast<std::uintptr_t>(free_);
    char *start = free_ + (alignment - address % alignment) % alignment;
    if (start + size > end_) {
      std::size_t room = size + alignment > chunk_size ? size + alignment : chunk_size;
      auto *c = static_cast<chunk *>(std::malloc(sizeof(chunk) + room));
      if (!c) throw std::bad_alloc();
      c->next = chunks_;
      chunks_ = c;
      start = reinterpret_cast<char *>(c + 1);
      end_ = start + room;
    }
    free_ = start + size;
    return start;
  }

  void release() noexcept {
    if (references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    for (auto *c = chunks_; c;) {
      auto *next = c->next;
      std::free(c);
      c = next;
    }
    const bool cached = cached_;
    this->~reply_block();
    cached ? detail::block_cache::release(this) : std::free(this);
  }

 private:
  static constexpr std::size_t chunk_size = 4096;
  struct alignas(std::max_align_t) chunk {
    chunk *next;
  };
  reply_block() = default;
  chunk *chunks_ = nullptr;
  char *free_ = nullptr, *end_ = nullptr;
  bool cached_ = false;
};

}  // namespace corbel
