#include "json/writer.hpp"
#include "queue/inspector_core.hpp"

namespace corbel {

std::string queue_stats::json() const {
  std::string out;
  json_writer w(out);
  w.begin_object().member("ready", ready).member("in_flight", in_flight).member("delayed", delayed);
  w.member("parked", parked).member("dead", dead).member("oldest_age", oldest_age.count()).key("lanes").begin_array();
  for (const auto &lane : lanes) {
    w.begin_object().member("name", lane.name).member("ready", lane.ready).member("in_flight", lane.in_flight);
    w.member("oldest_age", lane.oldest_age.count()).end_object();
  }
  w.end_array().end_object();
  return out;
}

queue_inspector::queue_inspector(const redis_pool &pool, queue_options options)
    : core_(detail::inspector_core::open(pool, std::move(options))) {}

detail::io_executor queue_inspector::executor() const { return core_->pool().executor(); }

void queue_inspector::start_stats(const core_ptr &core, call c, detail::operation_ptr<queue_stats> op) {
  core->stats(c, std::move(op));
}

void queue_inspector::start_dead(const core_ptr &core, std::optional<std::uint64_t> after, std::size_t count, call c,
                                 detail::operation_ptr<dead_page> op) {
  core->dead(after, count, c, std::move(op));
}

void queue_inspector::start_change(const core_ptr &core, bool requeue, const std::vector<std::uint64_t> &numbers, call c,
                                   detail::operation_ptr<std::size_t> op) {
  core->change(requeue, numbers, c, std::move(op));
}

}  // namespace corbel
