#pragma once
/// Owns: the leases that a consumer holds, and their renewal in one call for all. Callers: consumer_core. Thread: the pool's
/// I/O thread. It lives as long as a renewal or its timer is under way; stop() ends both.

#include "queue/lease_clock.hpp"
#include "queue/queue_scripts.hpp"

#include <boost/asio/steady_timer.hpp>

#include <map>
#include <memory>

namespace corbel::detail {

class lease_keeper : public std::enable_shared_from_this<lease_keeper> {
 public:
  lease_keeper(const redis_pool &pool, std::shared_ptr<const queue_keys> keys, std::chrono::milliseconds lease);

  /// since: a moment before the claim was sent.
  void hold(std::uint64_t token, std::string id, std::string holder, lease_clock::clock::time_point since);
  void release(std::uint64_t token);
  void reconnected();
  /// Forgets all leases and renews nothing more.
  void stop();
  bool empty() const noexcept { return held_.empty(); }

 private:
  void arm();
  void due();
  void renew();
  void renewed(const result<redis_reply> &r);

  redis_pool pool_;
  const std::shared_ptr<const queue_keys> keys_;
  const std::chrono::milliseconds lease_;
  std::map<std::uint64_t, std::pair<std::string, std::string>> held_;  // token -> id, holder
  lease_clock clock_;
  boost::asio::steady_timer timer_;
  bool stopped_ = false;
};

}  // namespace corbel::detail
