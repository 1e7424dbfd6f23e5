#pragma once
/// Owns: the requests that were sent on one connection and not answered, oldest first. A request that was given up leaves an
/// empty place, for its reply will still come. Thread: the connection's.

#include <corbel/detail/redis_request.hpp>

#include <cstddef>
#include <vector>

namespace corbel::detail {

class request_ring {
 public:
  bool empty() const noexcept { return size_ == 0; }
  std::size_t size() const noexcept { return size_; }

  void push(redis_request *r) {
    if (size_ == places_.size()) grow();
    places_[(first_ + size_++) & (places_.size() - 1)] = r;
  }
  /// The oldest; nullptr for an empty place.
  redis_request *pop() noexcept {
    auto *r = places_[first_];
    first_ = (first_ + 1) & (places_.size() - 1);
    --size_;
    return r;
  }
  /// Replaces each request by what fn returns.
  template <class F>
  void replace(F fn) {
    for (std::size_t i = 0; i < size_; ++i)
      if (auto *&r = places_[(first_ + i) & (places_.size() - 1)]) r = fn(r);
  }

 private:
  void grow() {
    std::vector<redis_request *> larger(places_.empty() ? 16 : places_.size() * 2);
    for (std::size_t i = 0; i < size_; ++i) larger[i] = places_[(first_ + i) & (places_.size() - 1)];
    places_.swap(larger);
    first_ = 0;
  }
  std::vector<redis_request *> places_;  // size: a power of two
  std::size_t first_ = 0, size_ = 0;
};

}  // namespace corbel::detail
