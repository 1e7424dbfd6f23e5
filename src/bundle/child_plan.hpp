#pragma once
/// Owns: the decisions about one bundle's handler processes: which is started, which gets which request, when they stop.
/// Pure: no process, no clock. Callers: the runner, one for each bundle; it carries out the actions in order and tells what
/// came of them. Thread: its loop's.
///
/// A version is a commit that was current. Requests go to the newest version that has become ready, to the process with the
/// fewest in hand, and wait when all are full. A new version is started beside the old one; once it is ready the old one
/// gets no more requests, ends those it has, and is stopped. One that does not start leaves the old one serving, and is
/// tried again ever more rarely (restart_plan); while nothing serves, what waits fails at once with the reason.

#include "base/restart_plan.hpp"

#include <corbel/result.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

namespace corbel::detail {

class child_plan {
 public:
  using clock = restart_plan::clock;
  using time_point = clock::time_point;
  using number = std::uint64_t;

  struct limits {
    unsigned concurrency = 1, processes = 1;
    std::chrono::milliseconds start{10'000}, turn{600'000}, stop{10'000};
  };
  struct action {
    enum class kind {
      start,   ///< child, version
      send,    ///< request to child
      cancel,  ///< tell the child that nobody waits for the request
      fail,    ///< the request, with why
      stop,    ///< close the child's input
      kill,    ///< end the child now, for `why`
    };
    kind what;
    number child = 0, request = 0, version = 0;
    error why = {};
  };
  using actions = std::vector<action>;

  explicit child_plan(std::size_t most_waiting) : most_waiting_(most_waiting) {}

  /// A newer version will be current, or unusable: what waits, waits for that.
  void coming() noexcept { coming_ = true; }
  /// A newer version, greater than all before, is current.
  actions current(number v, limits l, time_point now);
  /// The same, but it cannot be run.
  actions unusable(number v, error why, time_point now);
  /// A request; it fails when its deadline passes before it is answered.
  actions add(number id, time_point deadline, time_point now);
  /// Nobody waits for it any more.
  actions drop(number id, time_point now);
  actions ready(number id, time_point now);
  /// A child has answered; false: it was never given that request, which is its fault.
  bool answered(number id, number request_id, time_point now, actions &out);
  /// A child ended, or could not be started; what it had in hand fails with why.
  actions ended(number id, const error &why, time_point now);
  /// Time has passed.
  actions tick(time_point now);
  /// When tick is due at the latest.
  std::optional<time_point> next_tick(time_point now) const;
  /// No more requests: those that wait fail, those in hand may end, then all children are stopped.
  actions close(const error &why, time_point now);
  /// No child is left and no request.
  bool empty() const noexcept { return children_.empty() && requests_.empty(); }

  bool has(number id) const { return requests_.contains(id); }
  std::size_t waiting() const noexcept { return waiting_.size(); }
  std::size_t in_hand() const noexcept { return requests_.size() - waiting_.size(); }
  std::size_t children() const noexcept { return children_.size(); }
  number serving() const noexcept { return serving_; }  ///< version; 0: none has become ready yet
  bool uses(number v) const { return versions_.contains(v); }
  error broken() const;  ///< why the version that is current does not start; success while nothing is known

 private:
  enum class state { starting, ready, retiring, stopping, killed };
  struct child {
    number version;
    state is = state::starting;
    time_point until;                     ///< of starting and stopping
    std::map<number, bool> in_hand;       ///< false: nobody waits for it any more
    std::optional<time_point> owed = {};  ///< answers that nobody waits for are due by then
    bool was_ready = false;
  };
  struct version {
    limits limit;
    restart_plan restart = {};
    time_point not_before = {};
    error broken = {};  ///< the last start failed
    bool usable = true;
  };
  struct request {
    time_point deadline;
    number child = 0;  ///< 0: waits
  };

  void settle(time_point now, actions &out);
  void start_needed(time_point now, actions &out);
  void start(number v, time_point now, actions &out);
  void hand_out(time_point now, actions &out);
  void retire(time_point now, actions &out);
  void stop(number id, child &c, time_point now, actions &out);
  void kill(number id, child &c, error why, actions &out);
  void expire(number id, request &r, time_point now, actions &out);
  void fail(number id, const error &why, actions &out);
  bool serves() const;
  bool may_come() const;
  std::size_t room(number v) const;
  error reason(time_point now) const;

  const std::size_t most_waiting_;
  number next_child_ = 1, wanted_ = 0, serving_ = 0;
  std::map<number, version> versions_;
  std::map<number, child> children_;
  std::map<number, request> requests_;
  std::deque<number> waiting_;
  error closed_;
  bool coming_ = false;
};

}  // namespace corbel::detail
