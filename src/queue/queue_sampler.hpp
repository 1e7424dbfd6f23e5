#pragma once
/// Owns: the look at a queue every ten seconds, for gauges, health and the platform's analytics: one for all consumers of a
/// queue in a process. Callers: consumer_core. Thread: of(): the pool's I/O thread; worked(), and letting go of
/// it: any.
///
/// What is to be warned of about the server is logged when it begins (see server_check).
///
/// Health: the part "queue:<label>" is ok while the server answers what the queue holds, degraded with the reason else.

#include "queue/analytics.hpp"
#include "queue/protocol.hpp"

#include <corbel/health.hpp>

#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace corbel::detail {

class queue_sampler : public std::enable_shared_from_this<queue_sampler> {
 public:
  static constexpr std::chrono::seconds interval{10}, good_for{30};

  /// The one of this queue, server and runtime, made where there is none; the first look is at once.
  static std::shared_ptr<queue_sampler> of(const redis_pool &pool, const std::shared_ptr<const queue_protocol> &protocol,
                                           const queue_options &options);
  queue_sampler(const redis_pool &pool, std::shared_ptr<const queue_protocol> protocol, const queue_options &options);
  ~queue_sampler();

  /// A message of the lane (0-based) was worked that had waited so long before its claim.
  void worked(std::size_t lane, std::chrono::milliseconds wait) noexcept {
    if (analytics_) analytics_->worked(lane, wait);
  }

 private:
  struct seen {
    std::mutex mutex;
    std::optional<queue_stats> stats;
    std::chrono::steady_clock::time_point at;
  };
  void begin();
  void look();
  void looked(const result<redis_reply> &r);
  void tell(health_state state, std::string reason) const;
  void flush();

  redis_pool pool_;
  const std::shared_ptr<const queue_protocol> protocol_;
  const std::string label_;
  const std::shared_ptr<seen> seen_ = std::make_shared<seen>();
  std::optional<queue_analytics> analytics_;
  std::uint64_t source_ = 0;
  boost::asio::steady_timer timer_;
};

}  // namespace corbel::detail
