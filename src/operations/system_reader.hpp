#pragma once
/// Reads a system_view out of Redis: what the indices of heartbeats name, never KEYS or SCAN. A handful of commands,
/// whatever else the server holds. Threads: the executor of who awaits.

#include "operations/system_view.hpp"

#include <corbel/redis_pool.hpp>

#include <boost/asio/awaitable.hpp>

#include <string>
#include <vector>

namespace corbel {

class system_reader {
 public:
  /// queue: the one whose depth is shown.
  system_reader(redis_pool redis, std::string tenant, std::string project, queue_options queue);

  /// Never throws: what could not be read is missing, and `error` says why.
  boost::asio::awaitable<system_view> read() const;

 private:
  boost::asio::awaitable<std::vector<std::string>> members(std::string index) const;
  boost::asio::awaitable<std::vector<std::optional<std::string>>> get(std::vector<std::string> keys,
                                                                      std::string &error) const;
  boost::asio::awaitable<std::vector<latency_sample>> latencies(const char *kind, const char *component, double now) const;

  redis_pool redis_;
  std::string scope_, tenant_, project_;
  queue_inspector queue_;
};

}  // namespace corbel
