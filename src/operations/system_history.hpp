#pragma once
/// Owns: samples of the last hour, for windows and for pictures. Pure: no clock. One thread at a time.

#include "operations/system_view.hpp"

#include <algorithm>
#include <chrono>
#include <deque>

namespace corbel {

struct system_sample {
  double at = 0;  ///< seconds since 1970
  double depth = 0, in_flight = 0, dead = 0;
  double load = 0, capacity = 0;  ///< of proc
  double pressure = 0, streams = 0;
  double pool_used = 0, pool_open = 0;  ///< connections of all pools of all processes
};

class system_history {
 public:
  static constexpr double kept = 3600;

  void add(const system_sample &s) {
    samples_.push_back(s);
    while (!samples_.empty() && samples_.front().at < s.at - kept) samples_.pop_front();
  }
  const std::deque<system_sample> &samples() const noexcept { return samples_; }

  struct average {
    double mean = 0, most = 0;
    std::size_t count = 0;
  };
  average over(double system_sample::*what, double now, double seconds) const {
    average a;
    for (auto &s : samples_) {
      if (s.at < now - seconds) continue;
      a.mean += s.*what;
      a.most = std::max(a.most, s.*what);
      ++a.count;
    }
    if (a.count != 0) a.mean /= static_cast<double>(a.count);
    return a;
  }

 private:
  std::deque<system_sample> samples_;
};

}  // namespace corbel
