#pragma once
/// Owns: the value of one series of a host's metric. Threads: any, without a lock.

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <memory>
#include <vector>

namespace corbel::detail {

class metric_series {
 public:
  using bound_list = std::vector<double>;

  /// bounds: of a histogram's buckets, ascending; nullptr for a counter or a gauge.
  explicit metric_series(std::shared_ptr<const bound_list> bounds)
      : bounds_(std::move(bounds)), counts_(bounds_ ? bounds_->size() + 1 : 0) {}

  void add(double n) noexcept { value_.fetch_add(n, std::memory_order_relaxed); }
  void set(double value) noexcept { value_.store(value, std::memory_order_relaxed); }
  /// Of a histogram; a bucket holds what is at most its bound.
  void record(double value) noexcept {
    if (std::isnan(value)) return;
    const auto bucket = std::lower_bound(bounds_->begin(), bounds_->end(), value) - bounds_->begin();
    counts_[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
    add(value);
  }

  /// Of a histogram the sum of what was recorded.
  double value() const noexcept { return value_.load(std::memory_order_relaxed); }
  const bound_list &bounds() const noexcept { return *bounds_; }
  std::vector<std::uint64_t> counts() const {
    std::vector<std::uint64_t> copy;
    copy.reserve(counts_.size());
    for (auto &n : counts_) copy.push_back(n.load(std::memory_order_relaxed));
    return copy;
  }

 private:
  const std::shared_ptr<const bound_list> bounds_;
  std::vector<std::atomic<std::uint64_t>> counts_;
  std::atomic<double> value_{0};
};

}  // namespace corbel::detail
