#include "queue/message_id.hpp"

#include "base/fork_guard.hpp"

#include <cstdint>
#include <sys/random.h>

namespace corbel::detail {

namespace {

constexpr std::size_t id_bytes = 16;

/// Random bytes of one thread: a system call for each id would cost more than the id.
struct random_store {
  unsigned char bytes[64 * id_bytes];
  std::size_t used = sizeof bytes;
  std::uint32_t generation = 0;

  const unsigned char *next() noexcept {
    if (used == sizeof bytes || generation != fork_generation()) refill();  // a child would give its parent's ids
    used += id_bytes;
    return bytes + used - id_bytes;
  }
  void refill() noexcept {
    for (std::size_t have = 0; have < sizeof bytes;) {
      const auto got = ::getrandom(bytes + have, sizeof bytes - have, 0);
      if (got > 0) have += static_cast<std::size_t>(got);
    }
    used = 0;
    generation = fork_generation();
  }
};

}  // namespace

std::string make_message_id() {
  thread_local random_store store;
  const unsigned char *bytes = store.next();
  std::string id(2 * id_bytes, '0');
  for (std::size_t i = 0; i < id_bytes; ++i) {
    id[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
    id[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
  }
  return id;
}

}  // namespace corbel::detail
