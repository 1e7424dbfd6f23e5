#include "base/fork_guard.hpp"

#include <atomic>
#include <pthread.h>

namespace corbel::detail {

namespace {
std::atomic<std::uint32_t> generation{0};
[[maybe_unused]] const int registered =
    ::pthread_atfork(nullptr, nullptr, [] { generation.fetch_add(1, std::memory_order_relaxed); });
}  // namespace

std::uint32_t fork_generation() noexcept { return generation.load(std::memory_order_relaxed); }

error forked_error() {
  return error(status::forked,
               "the handle was made before fork(): this process may only free it; open a runtime of its own here");
}

}  // namespace corbel::detail
