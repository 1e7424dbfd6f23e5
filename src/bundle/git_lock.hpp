#pragma once
/// Owns: the platform's lock in Redis around the work on some bundles of one ref: taken for all or none, renewed while it is
/// held, deleted only while it is ours. Callers: the loader. Thread: its loop's.
///
/// It keeps processes of different machines from doing work twice; what is whole is guarded by file locks. So a Redis that
/// is away holds nobody up: the work goes on without it, with a warning.

#include "io/loop.hpp"

#include <corbel/bundle_options.hpp>
#include <corbel/redis_pool.hpp>
#include <corbel/redis_script.hpp>

#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace corbel::detail {

class git_lock : public std::enable_shared_from_this<git_lock> {
 public:
  using warning = std::function<void(const std::string &line)>;

  git_lock(std::shared_ptr<loop> where, const bundle_lock_options &options, std::string instance,
           std::vector<std::string> ids, const std::string &ref, warning warn);

  /// taken runs once: with true when the work may begin, with false after give_up().
  void take(std::function<void(bool)> taken);
  /// Waits no more, holds it no more.
  void give_up();

 private:
  void attempt();
  void attempted(const result<redis_reply> &r);
  void renew_later();
  void renewed(const result<redis_reply> &r);
  void wait_and(std::chrono::milliseconds time, void (git_lock::*then)());
  void renew();
  redis_command command(const redis_script &script) const;
  void finish(bool may_begin);
  void answer_on_loop(redis_command c, const redis_script &script, void (git_lock::*then)(const result<redis_reply> &));

  const std::shared_ptr<loop> loop_;
  const redis_pool pool_;
  const std::chrono::milliseconds ttl_;
  std::vector<std::string> keys_;
  const std::string value_;
  const warning warn_;
  boost::asio::steady_timer timer_;
  std::function<void(bool)> taken_;
  bool gave_up_ = false, held_ = false;
};

}  // namespace corbel::detail
