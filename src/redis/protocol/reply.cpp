#include "base/code_point.hpp"
#include "redis/protocol/reply_block.hpp"

#include <corbel/redis_reply.hpp>

#include <charconv>

namespace corbel {

namespace {
const redis_node nil{};
}

std::int64_t redis_node::integer() const noexcept {
  if (kind_ == kind::integer) return integer_;
  std::int64_t value = 0;
  auto t = text();
  auto [end, ec] = std::from_chars(t.data(), t.data() + t.size(), value);
  return ec == std::errc() && end == t.data() + t.size() && !t.empty() ? value : 0;
}

const redis_node &redis_node::operator[](std::size_t i) const noexcept {
  auto all = elements();
  return i < all.size() ? all[i] : nil;
}

bool detail::is_utf8(const redis_node &node) noexcept {
  if (node.has_bytes()) return is_utf8(node.text());
  for (auto &element : node.elements())
    if (!is_utf8(element)) return false;
  return true;
}

const redis_node &redis_reply::root() const noexcept { return block_ ? block_->root : nil; }

void redis_reply::retain() const noexcept {
  if (block_) block_->references.fetch_add(1, std::memory_order_relaxed);
}

void redis_reply::release() noexcept {
  if (block_) std::exchange(block_, nullptr)->release();
}

}  // namespace corbel
