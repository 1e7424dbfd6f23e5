#include "relay/unique_id.hpp"

#include <fmt/format.h>

#include <random>

namespace corbel {

std::string unique_id() {
  thread_local std::random_device source;
  auto word = [] { return std::uint32_t{source()}; };
  auto b = word(), d = word();
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:04x}{:08x}", word(), b >> 16, (b & 0x0FFF) | 0x4000,
                     ((d >> 16) & 0x3FFF) | 0x8000, d & 0xFFFF, word());
}

}  // namespace corbel
