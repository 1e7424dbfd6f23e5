#pragma once
/// Puts durations of this process where the platform keeps those of the last hour. Never in anybody's way: of more than
/// twenty in a second a fair choice is written, and what Redis does not take is forgotten. Threads: the runtime's executor.

#include "operations/latency_window.hpp"

#include <corbel/redis_pool.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace corbel {

class latency_recorder : public std::enable_shared_from_this<latency_recorder> {
 public:
  static std::shared_ptr<latency_recorder> start(runtime &rt, redis_pool redis, std::string key);
  latency_recorder(runtime &rt, redis_pool redis, std::string key);
  void record(std::chrono::nanoseconds took);
  /// Writes what it has, for the last time.
  void stop();

 private:
  boost::asio::awaitable<void> run();
  boost::asio::awaitable<void> write();

  redis_pool redis_;
  const std::string key_;
  boost::asio::steady_timer timer_;
  std::vector<latency_sample> chosen_;
  std::size_t seen_ = 0;  // since the last writing
  std::minstd_rand random_;
  bool stopped_ = false;
};

}  // namespace corbel
