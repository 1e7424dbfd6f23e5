#include "capi/guard.hpp"
#include "redis/protocol/reply_block.hpp"

using namespace corbel;

namespace {

const redis_node *node_of(const corbel_node *n) { return reinterpret_cast<const redis_node *>(n); }
const corbel_node *handle_of(const redis_node *n) { return reinterpret_cast<const corbel_node *>(n); }

struct record_writer {
  char *out;
  size_t room, each, count = 0;

  void write(const redis_node &n, std::uint32_t depth) {
    if (count < room) {
      corbel_record r{};
      r.kind = static_cast<std::int32_t>(n.type());
      r.depth = depth;
      if (n.type() == redis_node::kind::integer) {
        r.value = n.integer();
      } else if (n.type() != redis_node::kind::nil) {
        r.value = static_cast<std::int64_t>(n.size());
        if (n.has_bytes()) r.data = n.text().data();
      }
      std::memcpy(out + count * each, &r, std::min(each, sizeof r));
    }
    ++count;
    for (auto &e : n.elements()) write(e, depth + 1);
  }
};

}  // namespace

const corbel_node *corbel_reply_root(const corbel_reply *y) {
  return y ? handle_of(&reinterpret_cast<const reply_block *>(y)->root) : nullptr;
}

int32_t corbel_node_kind(const corbel_node *n) { return n ? static_cast<int32_t>(node_of(n)->type()) : CORBEL_NODE_NIL; }

corbel_status corbel_node_bytes(const corbel_node *n, corbel_bytes *out) {
  if (!n || !out) return CORBEL_INVALID;
  auto &node = *node_of(n);
  *out = {nullptr, 0};
  if (node.is_nil()) return CORBEL_OK;
  if (!node.has_bytes()) return CORBEL_INVALID;
  *out = {node.text().data(), node.text().size()};
  return CORBEL_OK;
}

int64_t corbel_node_integer(const corbel_node *n) {
  return n && node_of(n)->type() == redis_node::kind::integer ? node_of(n)->integer() : 0;
}

size_t corbel_node_count(const corbel_node *n) { return n ? node_of(n)->elements().size() : 0; }

const corbel_node *corbel_node_at(const corbel_node *n, size_t i) {
  if (!n) return nullptr;
  auto all = node_of(n)->elements();
  return i < all.size() ? handle_of(&all[i]) : nullptr;
}

size_t corbel_reply_records(const corbel_reply *y, void *out, size_t count, size_t each) {
  if (!y || (count != 0 && (!out || each == 0))) return 0;
  record_writer w{static_cast<char *>(out), count, each};
  w.write(reinterpret_cast<const reply_block *>(y)->root, 0);
  return w.count;
}

void corbel_reply_free(corbel_reply *y) {
  if (y) reinterpret_cast<reply_block *>(y)->release();
}
