#pragma once
/// Owns: the last report of every part of a runtime.
/// Called by: pools and hosts (set, remove), /health, the heartbeat and the C API (summary).
/// Threads: any.

#include "health/roll_up.hpp"

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace corbel::detail {

class health_table {
 public:
  using clock_function = std::function<health_instant()>;

  /// clock: what time it is; must be safe to call on any thread. Empty: the machine's clocks.
  explicit health_table(clock_function clock = {});

  /// Takes the place of the part's last report; `since` moves only when the state changes. The reason becomes one line.
  void set(health_report report);
  /// Forgets the part. An unknown one is ignored.
  void remove(std::string_view part);
  health_summary summary() const;

 private:
  clock_function clock_;
  mutable std::mutex mutex_;
  std::map<std::string, health_entry, std::less<>> entries_;
};

}  // namespace corbel::detail
