#pragma once
/// What this process holds now, from /proc/self: for tests that assert that nothing leaks.

#include <cstddef>

namespace corbel::test {

std::size_t open_descriptors();
/// Private memory in bytes: clean and dirty, of smaps_rollup.
std::size_t private_memory();
std::size_t threads();

/// True in a build with a sanitizer, whose own memory makes figures of private memory worthless.
constexpr bool sanitized() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return true;
#elif defined(__has_feature)
  return __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
  return false;
#endif
}

}  // namespace corbel::test
