#pragma once
/// Owns: the order in which a consumer's claims turn to the lanes: smooth weighted round robin, so that a lane of weight 3
/// gets three of four messages beside one of weight 1, and never in one lump. Pure. Callers: consumer_core. Thread: one at a
/// time.

#include <corbel/queue_options.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace corbel::detail {

class lane_rotation {
 public:
  explicit lane_rotation(const std::vector<queue_lane> &lanes) {
    for (const auto &lane : lanes) {
      weights_.push_back(lane.weight);
      total_ += lane.weight;
    }
    credits_.resize(weights_.size());
  }

  /// Lanes in the order of their first turn, with how many of the next `most` turns each has; lanes without a turn last.
  std::vector<std::pair<std::uint32_t, std::uint32_t>> turns(std::uint32_t most) {
    if (weights_.size() == 1) return {{0, most}};
    std::vector<std::pair<std::uint32_t, std::uint32_t>> order;
    std::vector<std::size_t> place(weights_.size(), weights_.size());
    for (std::uint32_t i = 0; i < most; ++i) {
      const auto lane = next();
      if (place[lane] == weights_.size()) {
        place[lane] = order.size();
        order.emplace_back(static_cast<std::uint32_t>(lane), 0);
      }
      ++order[place[lane]].second;
    }
    for (std::size_t lane = 0; lane < place.size(); ++lane)
      if (place[lane] == weights_.size()) order.emplace_back(static_cast<std::uint32_t>(lane), 0);
    return order;
  }

 private:
  std::size_t next() noexcept {
    for (std::size_t i = 0; i < weights_.size(); ++i) credits_[i] += weights_[i];
    const auto best = std::max_element(credits_.begin(), credits_.end());
    *best -= total_;
    return static_cast<std::size_t>(best - credits_.begin());
  }

  std::vector<std::int64_t> weights_, credits_;
  std::int64_t total_ = 0;
};

}  // namespace corbel::detail
