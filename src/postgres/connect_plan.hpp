#pragma once
/// Owns: the order in which the servers of a pool are tried for one connection, how long each may take, and which error is
/// told in the end. Pure: no clock, no socket; time comes in. Callers: the dialer. Thread: the pool's loop.
///
/// Hosts are tried in order, each address of a host. A refused password, user or database ends it, as with libpq: the next
/// host would be asked with the same. prefer-standby is two rounds: standbys only, then any.

#include <corbel/error.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace corbel::detail {

struct connect_candidate {
  std::string host, address, port;  // address: empty for a Unix socket
};

class connect_plan {
 public:
  using time = std::chrono::steady_clock::time_point;

  connect_plan(std::vector<connect_candidate> candidates, std::string target, time deadline)
      : candidates_(std::move(candidates)), target_(std::move(target)), deadline_(deadline) {}

  struct attempt {
    const connect_candidate *to = nullptr;
    const char *target = nullptr;  // target_session_attrs of this one server
    time deadline{};
  };
  /// The next attempt, or false: it has failed with why(). Each gets an equal share of the time that is left.
  bool next(time now, attempt &out) {
    const bool two_rounds = target_ == "prefer-standby";
    if (is_final_ || now >= deadline_) return false;
    if (at_ == candidates_.size() && two_rounds && round_ == 0) {
      at_ = 0;
      round_ = 1;
    }
    if (at_ == candidates_.size()) return false;
    const auto left = candidates_.size() - at_ + (two_rounds && round_ == 0 ? candidates_.size() : 0);
    out.to = &candidates_[at_++];
    out.target = !two_rounds ? target_.c_str() : round_ == 0 ? "standby" : "any";
    out.deadline = now + (deadline_ - now) / static_cast<long>(left);
    return true;
  }
  void failed(error why) {
    is_final_ = (why.flags() & error::fatal) != 0;
    // What a server said weighs more than one that could not be reached.
    if (!why_ || is_final_ || why.is(status::refused) || !why_.is(status::refused)) why_ = std::move(why);
  }
  const error &why() const noexcept { return why_; }
  std::size_t size() const noexcept { return candidates_.size(); }

 private:
  std::vector<connect_candidate> candidates_;
  std::string target_;
  time deadline_;
  std::size_t at_ = 0;
  unsigned round_ = 0;
  bool is_final_ = false;
  error why_;
};

}  // namespace corbel::detail
