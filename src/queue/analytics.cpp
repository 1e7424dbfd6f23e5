#include "queue/analytics.hpp"

#include "scripts/platform_analytics.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace corbel::detail {

queue_analytics::queue_analytics(const std::string &tenant, const std::string &project, const std::vector<queue_lane> &lanes,
                                 std::vector<std::string> ready_lists) {
  for (std::size_t i = 0; i < lanes.size(); ++i)
    lanes_.push_back(
        {.ready = std::move(ready_lists[i]),
         .analytics = fmt::format("{}:{}:kdcube:chat:prompt:queue:analytics:{}", tenant, project, lanes[i].name),
         .minutes = fmt::format("{}:{}:corbel:queue:minutes:{}", tenant, project, lanes[i].name)});
}

void queue_analytics::worked(std::size_t lane, std::chrono::milliseconds wait) noexcept {
  if (lane >= lanes_.size()) return;
  std::lock_guard lock(mutex_);
  ++lanes_[lane].count;
  lanes_[lane].waited += std::max(0.0, std::chrono::duration<double>(wait).count());
}

script_call queue_analytics::write() {
  static const auto &five =
      *new redis_script(scripts::platform_analytics, 15);  // never destroyed: I/O threads may outlive it
  auto command = five.command();
  for (const auto &lane : lanes_) command.push(lane.ready).push(lane.analytics).push(lane.minutes);
  command.push(kept.count());
  std::lock_guard lock(mutex_);
  for (auto &lane : lanes_) {
    command.push(std::exchange(lane.count, 0)).push(fmt::format("{:.6f}", std::exchange(lane.waited, 0)));
  }
  return {five, std::move(command)};
}

}  // namespace corbel::detail
