#pragma once
/// Owns: the count of forks between this process and the one that loaded the library. Callers: every handle, which keeps a
/// stamp and refuses calls when it differs (FORKED). Thread: any. Nothing else of the library handles forks: a child may
/// only free what its parent made, and freeing leaks quietly. No lock, no system call: one relaxed load.

#include <corbel/error.hpp>

#include <cstdint>
#include <new>
#include <utility>

namespace corbel::detail {

std::uint32_t fork_generation() noexcept;

class fork_stamp {
 public:
  fork_stamp() noexcept : generation_(fork_generation()) {}
  bool forked() const noexcept { return generation_ != fork_generation(); }

 private:
  std::uint32_t generation_;
};

error forked_error();

/// What was the parent's is never destroyed in the child, where its locks may be held by threads that do not exist.
/// Allocates nothing.
template <class T>
void leave_to_parent(T handle) noexcept {
  alignas(T) unsigned char kept[sizeof(T)];
  ::new (kept) T(std::move(handle));
}

}  // namespace corbel::detail
