#pragma once
/// Replies of Redis: an immutable tree of nodes in one block of memory.
/// A reply is a counted reference: copies are cheap, and any thread may read it. Views and nodes live as long as it.

#include <corbel/c/redis.h>

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

namespace corbel {

/// One node. Its kind says which of the others has a meaning.
class redis_node {
 public:
  enum class kind : std::int32_t {
    nil = CORBEL_NODE_NIL,
    string = CORBEL_NODE_STRING,
    status = CORBEL_NODE_STATUS,
    integer = CORBEL_NODE_INTEGER,
    array = CORBEL_NODE_ARRAY,
    error = CORBEL_NODE_ERROR,
  };

  kind type() const noexcept { return kind_; }
  bool is_nil() const noexcept { return kind_ == kind::nil; }
  /// Bytes of a string, status or error; empty otherwise.
  std::string_view text() const noexcept {
    return has_bytes() ? std::string_view(static_cast<const char *>(data_), size_) : std::string_view();
  }
  bool has_bytes() const noexcept { return kind_ == kind::string || kind_ == kind::status || kind_ == kind::error; }
  /// An integer's value; a string that holds one in full is read as well; otherwise 0.
  std::int64_t integer() const noexcept;
  std::span<const redis_node> elements() const noexcept {
    return kind_ == kind::array ? std::span(static_cast<const redis_node *>(data_), size_) : std::span<const redis_node>();
  }
  std::size_t size() const noexcept { return size_; }
  /// Element of an array; nil past the end.
  const redis_node &operator[](std::size_t i) const noexcept;

 private:
  friend class reply_builder;
  const void *data_ = nullptr;
  union {
    std::size_t size_ = 0;
    std::int64_t integer_;
  };
  kind kind_ = kind::nil;
};

namespace detail {
/// True when every string in the tree is UTF-8.
bool is_utf8(const redis_node &node) noexcept;
}  // namespace detail

/// Memory of one reply: counted, freed with the last reference.
struct reply_block;

class redis_reply {
 public:
  redis_reply() noexcept = default;
  redis_reply(const redis_reply &o) noexcept : block_(o.block_) { retain(); }
  redis_reply(redis_reply &&o) noexcept : block_(std::exchange(o.block_, nullptr)) {}
  redis_reply &operator=(redis_reply o) noexcept {
    std::swap(block_, o.block_);
    return *this;
  }
  ~redis_reply() { release(); }

  explicit operator bool() const noexcept { return block_ != nullptr; }
  /// The tree's root; nil for an empty reply.
  const redis_node &root() const noexcept;
  const redis_node &operator*() const noexcept { return root(); }
  const redis_node *operator->() const noexcept { return &root(); }

  /// The raw reference, for the C API: adopt takes over one count, detach gives it away.
  static redis_reply adopt(reply_block *b) noexcept {
    redis_reply r;
    r.block_ = b;
    return r;
  }
  reply_block *detach() noexcept { return std::exchange(block_, nullptr); }

 private:
  void retain() const noexcept;
  void release() noexcept;
  reply_block *block_ = nullptr;
};

}  // namespace corbel
