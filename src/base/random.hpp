#pragma once
/// Owns: randomness for back-off and jitter; not for secrets.

#include <random>

namespace corbel::detail {

/// Uniform in [0, 1). Any thread.
inline double random_unit() {
  thread_local std::minstd_rand engine{std::random_device{}()};
  return std::uniform_real_distribution<double>(0.0, 1.0)(engine);
}

}  // namespace corbel::detail
