#pragma once
#include <cstdint>

namespace corbel::test {
/// A TCP port of the loopback address that nobody listened on a moment ago. It lies below the range from which the kernel
/// takes the ports of clients: else a client that connects again and again to a stopped server may meet itself.
std::uint16_t free_port();
}  // namespace corbel::test
