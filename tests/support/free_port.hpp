#pragma once
#include <cstdint>

namespace corbel::test {
/// A TCP port of the loopback address that nobody listened on a moment ago.
std::uint16_t free_port();
}  // namespace corbel::test
