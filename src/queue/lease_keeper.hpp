#pragma once
/// Owns: the leases that a consumer holds, and their renewal in one call for all. Callers: consumer_core, which is told of
/// each that was lost. Thread: the pool's I/O thread. It lives as long as a renewal or its timer is under way; stop() ends
/// both.

#include "queue/lease_clock.hpp"
#include "queue/protocol.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include <functional>
#include <memory>

namespace corbel::detail {

class lease_keeper : public std::enable_shared_from_this<lease_keeper> {
 public:
  /// lost: the token of a lease that another has taken.
  lease_keeper(const redis_pool &pool, std::shared_ptr<const queue_protocol> protocol, std::chrono::milliseconds lease,
               std::function<void(std::uint64_t token)> lost);

  /// since: a moment before the claim was sent.
  void hold(claimed_ptr m, lease_clock::clock::time_point since);
  void release(std::uint64_t token);
  void reconnected();
  /// Forgets all leases and renews nothing more.
  void stop();

 private:
  void arm();
  void due();
  void renew();
  void renewed(const std::vector<claimed_ptr> &all, const result<redis_reply> &r);

  redis_pool pool_;
  const std::shared_ptr<const queue_protocol> protocol_;
  const std::chrono::milliseconds lease_;
  std::function<void(std::uint64_t)> lost_;
  boost::unordered_flat_map<std::uint64_t, claimed_ptr> held_;  // by token
  lease_clock clock_;
  boost::asio::steady_timer timer_;
  bool stopped_ = false;
};

}  // namespace corbel::detail
