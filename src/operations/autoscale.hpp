#pragma once
/// Whether the fleet should grow or shrink, by the platform's rules. Pure.

#include <cstdint>
#include <string>
#include <vector>

namespace corbel {

struct scale_signals {
  std::int64_t instances = 0;
  double utilization_percent = 0;  ///< of the processes' capacity
  double pressure = 0;             ///< proc: what is queued and worked, of what the fleet holds
  std::int64_t queued = 0;         ///< proc
  double streams_percent = 0;      ///< ingress: of the connections that it may have
};

struct scale_advice {
  std::string decision = "hold";  ///< scale_up, scale_down, hold
  std::vector<std::string> reasons = {};
};

/// Up: pressure 0.85 and more, or something queued while 85 % are busy. Down: nothing queued, pressure below 0.3, less than
/// 30 % busy, and more than one instance.
inline scale_advice advise_proc(const scale_signals &s) {
  if (s.pressure >= 0.85) return {"scale_up", {"queue pressure is 0.85 or more"}};
  if (s.queued > 0 && s.utilization_percent >= 85) return {"scale_up", {"messages wait while 85 % or more are busy"}};
  if (s.queued == 0 && s.pressure < 0.3 && s.utilization_percent < 30 && s.instances > 1)
    return {"scale_down", {"nothing waits and less than 30 % are busy"}};
  return {};
}

/// Up: 80 % and more of the streams. Down: below 30 % of streams and of capacity, and more than one instance.
inline scale_advice advise_ingress(const scale_signals &s) {
  if (s.streams_percent >= 80) return {"scale_up", {"80 % or more of the streams are in use"}};
  if (s.streams_percent < 30 && s.utilization_percent < 30 && s.instances > 1)
    return {"scale_down", {"less than 30 % of streams and of capacity are in use"}};
  return {};
}

}  // namespace corbel
