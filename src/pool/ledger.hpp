#pragma once
/// Owns: the counts of one pool and the decisions that follow from them. Pure: no clock, no lock, no socket. Callers: a pool
/// asks what to do and reports what happened. Thread: guarded by the pool.
///
/// A connection is counted from the moment it is being opened. A pipeline is a connection that many callers share; where
/// keep_pipeline is set, one slot is always kept for one. Where it is not, connections change freely between idle, leased
/// and shared, and min_size of them are kept warm.

#include <corbel/c/base.h>

#include <cstdint>
#include <string>

namespace corbel::detail {

class ledger {
 public:
  struct limits {
    std::uint32_t max_size = 32;
    std::uint32_t max_waiting = 65536;
    std::uint32_t min_size = 0;
    bool keep_pipeline = true;
  };
  /// Where a connection that is free now comes from.
  enum class from { opening, leased, pipeline };
  struct counts {
    std::uint32_t pipelines = 0;      // open or opening
    std::uint32_t subscriptions = 0;  // open or opening
    std::uint32_t leased = 0;
    std::uint32_t idle = 0;
    std::uint32_t opening = 0;  // for leases
    std::uint32_t waiting = 0;  // callers
    std::uint32_t total() const noexcept { return pipelines + subscriptions + leased + idle + opening; }
  };
  enum class answer {
    take_idle,  // there is an idle connection
    open,       // open one and wait for it
    wait,       // wait: for one that is being opened, or for one to come back
    refuse,     // the bound on waiters is reached
    never,      // the cap leaves no slot beside the pipeline
  };

  explicit ledger(limits l) noexcept : limits_(l) {}
  const counts &now() const noexcept { return counts_; }
  const limits &bounds() const noexcept { return limits_; }
  void set_limits(limits l) noexcept { limits_ = l; }
  bool is_bounded() const noexcept { return limits_.max_size != CORBEL_UNBOUNDED; }

  /// A caller wants a lease. For take_idle the caller is leased, for open and wait it is waiting.
  answer want_lease() noexcept {
    if (counts_.idle != 0 && counts_.waiting == 0) {
      --counts_.idle;
      ++counts_.leased;
      return answer::take_idle;
    }
    if (!has_room_beside_pipeline()) return answer::never;
    if (counts_.waiting >= limits_.max_waiting) return answer::refuse;
    ++counts_.waiting;
    if (should_open()) {
      ++counts_.opening;
      return answer::open;
    }
    return answer::wait;
  }
  /// One more connection is worth opening for those who wait (after a failed try, a closed connection, a returned slot).
  /// others: how many more want one besides the callers that wait for a lease.
  bool try_open(std::uint32_t others = 0) noexcept {
    if (!should_open(others)) return false;
    ++counts_.opening;
    return true;
  }
  /// One more is missing to min_size.
  bool try_warm() noexcept {
    if (counts_.total() >= limits_.min_size) return false;
    ++counts_.opening;
    return true;
  }
  void open_failed() noexcept { --counts_.opening; }
  /// An opened connection: true when a waiter gets it, else it is idle.
  bool opened() noexcept { return settle(from::opening); }
  /// A lease came back in good order: true when the first waiter gets it, else it is idle.
  bool returned() noexcept { return settle(from::leased); }
  bool settle(from where) noexcept {
    --count_of(where);
    return place();
  }
  void settle_to_share(from where) noexcept {
    --count_of(where);
    ++counts_.pipelines;
  }
  void gone(from where) noexcept { --count_of(where); }
  void discarded() noexcept { gone(from::leased); }
  void share_idle() noexcept {
    --counts_.idle;
    ++counts_.pipelines;
  }
  /// More connections than the cap: one that is free is to be closed.
  bool is_over() const noexcept { return is_bounded() && counts_.total() > limits_.max_size; }
  /// An idle one may go without falling below min_size.
  bool may_shrink() const noexcept { return counts_.total() > limits_.min_size; }
  void idle_closed() noexcept { --counts_.idle; }
  void gave_up_waiting() noexcept { --counts_.waiting; }

  /// A slot for another pipeline, or for the subscription connection. Idle connections may have to be closed first: the
  /// caller asks again after it closed one.
  bool add_pipeline() noexcept { return add(counts_.pipelines, counts_.pipelines == 0); }
  void remove_pipeline() noexcept { --counts_.pipelines; }
  bool add_subscription() noexcept { return has_room_beside_pipeline() && add(counts_.subscriptions, false); }
  void remove_subscription() noexcept { --counts_.subscriptions; }
  bool has_room_beside_pipeline() const noexcept { return !limits_.keep_pipeline || limits_.max_size > 1; }

  /// "8 of 8 connections: 1 pipeline, 1 subscription, 6 leased, 0 idle; 0 opening, 12 waiting"
  std::string text() const;

 private:
  bool place() noexcept {
    if (counts_.waiting != 0) {
      --counts_.waiting;
      ++counts_.leased;
      return true;
    }
    ++counts_.idle;
    return false;
  }
  std::uint32_t &count_of(from where) noexcept {
    return where == from::opening ? counts_.opening : where == from::leased ? counts_.leased : counts_.pipelines;
  }
  std::uint32_t reserved() const noexcept { return limits_.keep_pipeline && counts_.pipelines == 0 ? 1 : 0; }
  bool has_slot(std::uint32_t keep) const noexcept { return !is_bounded() || counts_.total() + keep < limits_.max_size; }
  bool should_open(std::uint32_t others = 0) const noexcept {
    return counts_.waiting + others > counts_.opening + counts_.idle && has_slot(reserved());
  }
  bool add(std::uint32_t &which, bool is_first_pipeline) noexcept {
    if (!has_slot(is_first_pipeline ? 0 : reserved())) return false;
    ++which;
    return true;
  }

  limits limits_;
  counts counts_;
};

}  // namespace corbel::detail
