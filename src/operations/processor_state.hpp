#pragma once
/// What a worker process has in hand, as the platform's monitoring shows it: the heartbeat's metadata.processor and
/// GET /monitoring/processor. Thread: one at a time.

#include "http/router.hpp"
#include "operations/identity.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

namespace corbel {

class processor_state {
 public:
  using clock = std::chrono::system_clock;

  struct task {
    std::string task_id = {}, queue_key = {}, inflight_key = {}, bundle_id = {};
    clock::time_point claimed_at = clock::now();
    clock::time_point started_at = {};  ///< the epoch: not started
    clock::time_point last_activity_at = clock::now();
    std::string last_activity_kind = "claimed";
    std::uint64_t activity_count = 0;
  };

  /// Names the task until ended().
  std::uint64_t claimed(task t);
  void started(std::uint64_t number);
  void activity(std::uint64_t number, std::string kind);
  void ended(std::uint64_t number) { tasks_.erase(number); }
  void interrupted() { ++interrupted_; }
  void drain() { draining_ = true; }
  void failed(std::string why) { last_error_ = std::move(why); }

  std::uint32_t load() const noexcept { return static_cast<std::uint32_t>(tasks_.size()); }
  std::string json(clock::time_point now = clock::now()) const;

  /// GET /monitoring/processor; it must outlive the server.
  void add_route(http_router &router, const host_identity &who) const;

 private:
  std::map<std::uint64_t, task> tasks_;
  std::uint64_t last_ = 0, interrupted_ = 0;
  bool draining_ = false;
  std::string last_error_;
};

}  // namespace corbel
