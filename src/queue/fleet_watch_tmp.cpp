#include "queue/fleet_watch.hpp"
namespace corbel::detail {
struct fleet_watch::state {
  fleet_capacity fixed;
};
fleet_watch::fleet_watch(const redis_pool &, const queue_options &o) : state_(std::make_shared<state>()) {
  state_->fixed = {o.admission->capacity.value_or(0), 1};
}
fleet_watch::~fleet_watch() = default;
void fleet_watch::now(answer tell) { tell(state_->fixed); }
}  // namespace corbel::detail
