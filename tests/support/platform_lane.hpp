#pragma once
/// Plays the platform's part of a conversation's lane of events and of its producers: the enqueue with admission, records of
/// events, wake-ups, the state and its lock. Threads: one at a time.

#include "support/platform_worker.hpp"

namespace corbel::test {

struct platform_admission {
  long long capacity = 12, healthy = 1;
  double anonymous = 0.6, registered = 0.8, paid = 0.8, hard = 0.95;
  long long max_queue_size = 0;
};

/// Event ids and records that go with a task.
struct platform_events {
  std::string lane;  ///< lane id; empty: none
  std::vector<std::pair<std::string, std::string>> events = {};
};

/// The platform's atomic enqueue. The answer is {1, "admitted", total, capacity, healthy, ids} or {0, reason, total ...}.
redis_answer platform_enqueue(redis_server &server, const std::string &type, const std::string &task,
                              const platform_admission &a = {}, const platform_events &events = {});

class platform_lane {
 public:
  /// The lane of user "u" with the default agent.
  platform_lane(redis_server &server, std::string conversation);

  std::string key() const;  ///< of the stream
  std::string id() const;   ///< "<conversation>:user:u:agent:default.react.agent"

  /// The record of an event with the task that it is for; time: what the client says, ISO.
  std::string record(const std::string &event, int sequence, bool reactive = true,
                     const std::string &time = "2026-01-31T10:20:30Z") const;
  /// What its ingress enqueues for that event.
  std::string wake_up(const std::string &event, int sequence, const std::string &task_id) const;
  /// Both of them together, as its ingress does.
  redis_answer put(const std::string &event, int sequence, const std::string &task_id, bool reactive = true);

  void set_state(const std::string &status, const std::string &at, const std::string &processed = "");
  /// A member of the state or of an event's record; "" where it is null or missing.
  std::string state(const std::string &name) const;
  std::string of_event(const std::string &event, const std::string &name) const;
  void lock_state(std::chrono::milliseconds how_long);
  void unlock_state();

 private:
  redis_server &server_;
  const std::string conversation_;
};

}  // namespace corbel::test
