#pragma once
/// Owns: the decision which connection takes the next statement that shares one, when a connection is closed to sharing, and
/// when a statement may be cancelled on the server. Pure: no clock, no socket; time comes in. Callers: the desk reports what
/// it sends, what is answered and what is abandoned. Thread: the pool's loop.
///
/// A cancel request hits whatever the server runs at that moment. So it is sent only where every outstanding statement of
/// the connection was abandoned by its caller. Once a statement is abandoned, its connection takes no more until drained;
/// and likewise once a statement has run for longer than the sharing time.

#include "postgres/group_plan.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace corbel::detail {

class share_plan {
 public:
  using time = std::chrono::steady_clock::time_point;
  using slot = std::size_t;
  static constexpr slot none = static_cast<slot>(-1);
  /// Most statements that one connection has outstanding; what is beyond waits where it can still go elsewhere.
  static constexpr std::uint32_t most = 128;

  /// A connection begins to share.
  slot join() {
    slot s = 0;
    while (s < members_.size() && members_[s].is_member) ++s;
    if (s == members_.size()) members_.emplace_back();
    members_[s] = {};
    members_[s].is_member = true;
    return s;
  }
  /// It was lost, or has drained.
  void leave(slot s) noexcept { members_[s].is_member = false; }

  /// The open connection with the fewest outstanding statements; none when none takes more.
  slot pick() const noexcept {
    slot best = none;
    std::uint32_t fewest = most;
    for (slot s = 0; s < members_.size(); ++s) {
      auto &m = members_[s];
      if (!m.is_member || m.is_closed || m.outstanding >= fewest) continue;
      fewest = m.outstanding;
      best = s;
      if (fewest == 0) break;
    }
    return best;
  }
  /// For a statement that may share a sync: the connection whose group it makes larger, before another one is used; none
  /// where the rule of pick() holds.
  slot pick_group() const noexcept {
    if (!groups_.few_connections()) return none;
    slot best = none;
    std::uint32_t in_use = 0, largest = 0;
    for (slot s = 0; s < members_.size(); ++s) {
      auto &m = members_[s];
      if (!m.is_member || m.outstanding == 0) continue;
      ++in_use;
      if (m.is_closed || m.outstanding >= group_plan::large || m.outstanding <= largest) continue;
      largest = m.outstanding;
      best = s;
    }
    return in_use < group_plan::few ? none : best;
  }
  void sent(slot s, time now) noexcept {
    auto &m = members_[s];
    if (m.outstanding++ == 0) m.head_since = now;
  }
  /// So many outstanding ones are answered; `abandoned` of them were abandoned. True when it has drained.
  bool answered(slot s, std::uint32_t count, std::uint32_t abandoned, time now) noexcept {
    auto &m = members_[s];
    if (count > 1) groups_.answered(count, now - m.head_since);
    m.outstanding -= count;
    m.abandoned -= abandoned;
    m.head_since = now;
    return m.outstanding == 0;
  }
  /// A caller left a statement that is outstanding.
  void abandon(slot s) noexcept {
    ++members_[s].abandoned;
    members_[s].is_closed = true;
  }
  /// A cancel request would hit nobody but callers that have left.
  bool may_cancel(slot s) const noexcept {
    return members_[s].outstanding != 0 && members_[s].outstanding == members_[s].abandoned;
  }
  /// It takes no more statements.
  void close(slot s) noexcept { members_[s].is_closed = true; }
  bool is_closed(slot s) const noexcept { return members_[s].is_closed; }
  std::uint32_t outstanding(slot s) const noexcept { return members_[s].outstanding; }

  /// Closes the connections whose first outstanding statement runs for longer than `share`. next: when to look again,
  /// lowered. True when one was closed.
  bool close_slow(time now, std::chrono::steady_clock::duration share, time &next) noexcept {
    bool any = false;
    for (auto &m : members_) {
      if (!m.is_member || m.is_closed || m.outstanding == 0) continue;
      if (m.head_since + share <= now) {
        m.is_closed = any = true;
      } else if (m.head_since + share < next) {
        next = m.head_since + share;
      }
    }
    return any;
  }
  /// How many connections are closed and not drained: they will be free.
  std::uint32_t closing() const noexcept {
    std::uint32_t n = 0;
    for (auto &m : members_) n += m.is_member && m.is_closed;
    return n;
  }

 private:
  struct member {
    std::uint32_t outstanding = 0, abandoned = 0;
    bool is_member = false, is_closed = false;
    time head_since{};
  };
  std::vector<member> members_;
  group_plan groups_;
};

}  // namespace corbel::detail
