#pragma once
/// Decides when a pool counts as saturated: callers wait and no connection is free, three looks in a row; and no more after
/// four without. Pure; one thread at a time.

namespace corbel::detail {

class saturation {
 public:
  enum class news { none, begun, goes_on, ended };

  news look(bool full) noexcept {
    in_a_row_ = full == was_full_ ? in_a_row_ + 1 : 1;
    was_full_ = full;
    if (on_ && !full && in_a_row_ >= calm) {
      on_ = false;
      return news::ended;
    }
    if (on_) return news::goes_on;
    if (!full || in_a_row_ < begin) return news::none;
    on_ = true;
    return news::begun;
  }
  /// Nothing to look for until callers wait again.
  bool is_over() const noexcept { return !on_ && !was_full_; }

 private:
  static constexpr int begin = 3, calm = 4;
  int in_a_row_ = 0;
  bool was_full_ = false, on_ = false;
};

}  // namespace corbel::detail
