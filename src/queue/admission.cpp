#include "queue/admission.hpp"

#include <fmt/format.h>

#include <cmath>

namespace corbel::detail {

lane_limit limit_of(std::string_view lane) noexcept {
  if (lane.empty() || lane == "privileged") return lane_limit::hard;
  if (lane == "paid") return lane_limit::paid;
  if (lane == "registered") return lane_limit::registered;
  return lane_limit::anonymous;
}

std::uint64_t most_of(lane_limit limit, const queue_admission &a, std::uint64_t capacity) noexcept {
  const double share = limit == lane_limit::hard         ? a.hard
                       : limit == lane_limit::paid       ? a.paid
                       : limit == lane_limit::registered ? a.registered
                                                         : a.anonymous;
  return static_cast<std::uint64_t>(std::floor(static_cast<double>(capacity) * share));
}

void push_admission(redis_command &command, const std::optional<put_admission> &admission,
                    const std::vector<queue_lane> &lanes) {
  command.push(admission ? admission->rules->max_queue_size : 0);
  command.push(admission ? std::to_string(admission->fleet.capacity) : std::string());
  for (const auto &lane : lanes) {
    const auto limit = limit_of(lane.name);
    const auto most = admission ? most_of(limit, *admission->rules, admission->fleet.capacity) : 0;
    command.push(fmt::format("{}:{}", most, static_cast<int>(limit)));
  }
}

std::chrono::seconds retry_after(std::string_view reason) noexcept {
  if (reason == "hard_limit_exceeded") return std::chrono::seconds(60);
  if (reason == "paid_threshold_exceeded" || reason == "registered_threshold_exceeded") return std::chrono::seconds(45);
  return std::chrono::seconds(30);
}

error refused_put(const put_outcome &o, const fleet_capacity &fleet) {
  const auto seconds = retry_after(o.refused).count();
  return error(status::busy,
               fmt::format("the queue takes no more now ({}): {} messages are ready or in flight, {} processes have a "
                           "capacity of {}; come again in {} s",
                           o.refused, o.depth, fleet.processes, fleet.capacity, seconds),
               "queue", o.refused, error::retriable,
               {{"depth", std::to_string(o.depth)},
                {"capacity", std::to_string(fleet.capacity)},
                {"processes", std::to_string(fleet.processes)},
                {"retry_after", std::to_string(seconds)}});
}

}  // namespace corbel::detail
