#include "queue/message_id.hpp"

#include <sys/random.h>

namespace corbel::detail {

std::string make_message_id() {
  unsigned char bytes[16];
  while (::getrandom(bytes, sizeof bytes, 0) != sizeof bytes) {
  }
  std::string id;
  id.reserve(2 * sizeof bytes);
  for (unsigned char b : bytes) {
    id += "0123456789abcdef"[b >> 4];
    id += "0123456789abcdef"[b & 15];
  }
  return id;
}

}  // namespace corbel::detail
