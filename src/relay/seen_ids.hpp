#pragma once
/// Remembers the latest ids. One thread at a time.

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_set>

namespace corbel::detail {

class seen_ids {
 public:
  explicit seen_ids(std::size_t limit) : limit_(limit) {}

  /// True when the id was not remembered yet; then it is, and over the limit the oldest is forgotten.
  bool add(std::string_view id) {
    auto [at, fresh] = known_.emplace(id);
    if (!fresh) return false;
    order_.push_back(&*at);
    if (order_.size() > limit_) {
      known_.erase(*order_.front());
      order_.pop_front();
    }
    return true;
  }
  std::size_t size() const noexcept { return order_.size(); }

 private:
  std::size_t limit_;
  std::unordered_set<std::string> known_;  // its nodes stay where they are
  std::deque<const std::string *> order_;
};

}  // namespace corbel::detail
