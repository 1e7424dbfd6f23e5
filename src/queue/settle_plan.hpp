#pragma once
/// Owns: the decision how a settlement goes on after each try. Pure: time is given in. Callers: settler.
/// Thread: one at a time.
///
/// A settlement may be sent again: the scripts act only for the holder that the claim made. An answer "not yours" after a
/// try whose fate is unknown is therefore taken for that try's success, where nothing speaks against it.

#include <corbel/queue.hpp>

#include <chrono>
#include <optional>
#include <string_view>

namespace corbel::detail {

class settle_plan {
 public:
  using clock = std::chrono::steady_clock;

  /// deadline: time_point::max() for none.
  /// id: of the message, which lives longer.
  settle_plan(settle how, std::string_view id, clock::time_point started, clock::time_point deadline)
      : how_(how), id_(id), started_(started), deadline_(deadline) {}

  struct decision {
    std::optional<result<bool>> ended;   ///< over, with this result
    std::chrono::milliseconds pause{0};  ///< else: send again after it
  };
  /// The script's answer: see queue_protocol::settle.
  decision answered(std::int64_t reply);
  decision failed(const error &why, clock::time_point now);

  /// What is left for the next try; call::unlimited without a deadline, never less than 1 ms.
  std::chrono::milliseconds left(clock::time_point now) const;
  settle how() const noexcept { return how_; }

 private:
  const settle how_;
  const std::string_view id_;
  const clock::time_point started_, deadline_;
  unsigned tries_ = 0;
  bool uncertain_ = false;  // an earlier try may have been applied
};

}  // namespace corbel::detail
