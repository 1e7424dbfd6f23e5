#pragma once
/// Owns: the programs corbel-git of one loader. One that has nothing to do is kept for the next job, for a minute: it has
/// read what it needs to begin. Two jobs never share one at once. Callers: jobs. Thread: the loop's.

#include "io/child.hpp"

#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace corbel::detail {

class git_programs : public std::enable_shared_from_this<git_programs> {
 public:
  static constexpr std::chrono::seconds idle_time{60};

  git_programs(std::shared_ptr<loop> where, std::string program, std::vector<std::string> environment);

  struct taken {
    std::shared_ptr<child> program;
    bool is_new = true;
  };
  /// Errors: none could be started. fresh: not the one that waits, which may be about to end.
  result<taken> take(child::handlers h, bool fresh);
  /// It waits for another job from now on.
  void keep(std::shared_ptr<child> idle);
  template <class F>
  void post(F &&f) {
    loop_->post(std::forward<F>(f));
  }
  /// The one that waits ends, and no other is kept.
  void close();

 private:
  void end_idle();
  const std::shared_ptr<loop> loop_;
  const std::string program_;
  const std::vector<std::string> environment_;
  std::shared_ptr<child> idle_;
  boost::asio::steady_timer until_;
  bool closed_ = false;
};

}  // namespace corbel::detail
