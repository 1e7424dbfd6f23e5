#pragma once
/// Memory blocks of one size that were used and wait to be used again. For what is allocated once per call, above all where
/// one thread allocates and another frees, for which the system's allocator takes locks. Thread: any; each keeps up to two
/// piles of its own, and full piles change hands through a shared stack without a lock.

#include <cstddef>
#include <new>

namespace corbel::detail {

class block_cache {
 public:
  static constexpr std::size_t block_size = 256;

  /// block_size bytes, aligned for any type. Throws std::bad_alloc.
  static void *allocate();
  static void release(void *block) noexcept;
};

/// What fits into a block comes from the cache.
template <class T>
struct block_allocator {
  using value_type = T;
  block_allocator() noexcept = default;
  template <class U>
  block_allocator(const block_allocator<U> &) noexcept {}

  T *allocate(std::size_t n) { return static_cast<T *>(fits(n) ? block_cache::allocate() : ::operator new(n * sizeof(T))); }
  void deallocate(T *p, std::size_t n) noexcept { fits(n) ? block_cache::release(p) : ::operator delete(p); }
  friend bool operator==(block_allocator, block_allocator) noexcept { return true; }

 private:
  static constexpr bool fits(std::size_t n) noexcept { return n <= block_cache::block_size / sizeof(T); }
};

}  // namespace corbel::detail
