#pragma once
/// Owns: one place for a connection that many callers share, reconnected for ever; the requests that wait while it is down.
/// Callers: the pool routes requests to it. Thread: the pool's loop.

#include "pool/connect_gate.hpp"
#include "pool/reconnect_plan.hpp"
#include "redis/connection.hpp"

#include <boost/asio/steady_timer.hpp>

#include <memory>

namespace corbel::detail {

class redis_pipeline final : public redis_connection::owner, public std::enable_shared_from_this<redis_pipeline> {
 public:
  using clock = redis_connection::clock;
  using request_list = redis_connection::request_list;

  /// What a pipeline tells its pool.
  class listener {
   public:
    virtual void pipeline_trying(redis_pipeline &) = 0;
    virtual void pipeline_up(redis_pipeline &) = 0;
    virtual void pipeline_down(redis_pipeline &, const error &why) = 0;
    /// A request that may be sent once more, elsewhere than on `p` if possible.
    virtual void pipeline_retry(redis_pipeline &p, redis_request *r) = 0;

   protected:
    ~listener() = default;
  };

  redis_pipeline(std::shared_ptr<loop> where, std::shared_ptr<const redis_settings> settings,
                 std::shared_ptr<redis_counters> counters, connect_gate &gate, listener &l);

  void start() { try_connect(); }
  /// Fails everything with `why` and closes; nothing is told any more.
  void stop(const error &why);

  void submit(redis_request *r);
  /// As redis_connection::expect.
  void expect(std::size_t requests) noexcept {
    if (connection_) connection_->expect(requests);
  }
  /// Ends what is past its time, retries what may be retried at half its time. next: when to look again, lowered.
  void expire(clock::time_point now, clock::time_point &next);
  /// Ends the request of that ticket; false when it is not here.
  bool cancel(std::uint64_t ticket);
  void watch(std::chrono::milliseconds idle, std::chrono::milliseconds overdue);

  bool is_up() const noexcept { return connection_ && connection_->is_up(); }
  std::size_t unanswered() const noexcept { return waiting_.size() + (connection_ ? connection_->unanswered() : 0); }
  std::size_t unsent_bytes() const noexcept { return connection_ ? connection_->unsent_bytes() : 0; }
  std::size_t under_way() const noexcept { return waiting_.size() + (connection_ ? connection_->under_way() : 0); }
  const error &last_error() const noexcept { return last_error_; }
  std::uint64_t epoch() const noexcept { return epoch_; }

 private:
  void connection_up(redis_connection &c) override;
  void connection_closed(redis_connection &c, const error &why, request_list sent, request_list unsent) override;
  void try_connect();
  void connect(connect_gate::turn turn);
  void retry_later();
  void arm_lifetime();
  void renew_when_quiet();
  error unavailable() const;
  error not_reached(const redis_request &r) const;

  std::shared_ptr<loop> loop_;
  std::shared_ptr<const redis_settings> settings_;
  std::shared_ptr<redis_counters> counters_;
  connect_gate &gate_;
  listener *listener_;
  reconnect_plan plan_;
  boost::asio::steady_timer timer_;     // until the next try
  boost::asio::steady_timer lifetime_;  // until the connection is too old
  connect_gate::turn turn_;
  std::shared_ptr<redis_connection> connection_;
  request_list waiting_;
  error last_error_;
  std::chrono::milliseconds idle_, overdue_;
  std::uint64_t epoch_ = 0;
  bool stopped_ = false;
};

}  // namespace corbel::detail
