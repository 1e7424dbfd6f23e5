#pragma once
/// Owns: the last report of every part of a runtime, and what was last told of them.
/// Called by: pools and hosts (set, remove), /health, the heartbeat and the C API (summary), the runtime's watch (review).
/// Threads: any.

#include "health/roll_up.hpp"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace corbel::detail {

class health_table {
 public:
  using clock_function = std::function<health_instant()>;
  /// What changed, in order; runs on the thread that reported or reviewed, and may not report itself. due: when to review
  /// again, none: not needed.
  using told_function =
      std::function<void(std::vector<health_change> changes, std::optional<std::chrono::steady_clock::time_point> due)>;

  /// clock: what time it is; must be safe to call on any thread. Empty: the machine's clocks.
  explicit health_table(clock_function clock = {});

  /// Before the first report.
  void on_change(told_function tell) { tell_ = std::move(tell); }

  /// Takes the place of the part's last report; `since` moves only when the state changes. The reason becomes one line.
  void set(health_report report);
  /// Forgets the part. An unknown one is ignored.
  void remove(std::string_view part);
  void set_draining(bool draining);
  /// Looks for what time alone has changed.
  void review();

  health_summary summary() const;
  /// The same, shared, at most 100 ms old and never older than the last report, and as JSON: for those who are asked often.
  struct shown_state {
    health_summary summary;
    std::string json;  ///< health_json(summary)
  };
  std::shared_ptr<const shown_state> view() const;
  /// How often each part, and the whole under "", has changed its state.
  std::map<std::string, std::uint64_t> changes() const;

 private:
  std::vector<health_entry> copy() const;
  void tell();  // under told_mutex_

  clock_function clock_;
  told_function tell_;
  std::mutex told_mutex_;  // taken before the other, so that changes are told in their order
  mutable std::mutex mutex_;
  std::map<std::string, health_entry, std::less<>> entries_;
  bool draining_ = false;
  struct shown {
    health_state state = health_state::unknown;
    bool ready = false;
  };
  std::map<std::string, shown, std::less<>> shown_;  // "" is the whole
  std::map<std::string, std::uint64_t> changes_;
  mutable std::shared_ptr<const shown_state> view_;  // empty after a report
  mutable std::chrono::steady_clock::time_point view_until_{};
};

}  // namespace corbel::detail
