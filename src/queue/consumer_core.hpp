#pragma once
/// Owns: the leasing side of a queue: who waits for a message, what was claimed, what is out; carries out what claim_plan
/// decides. Callers: consumer and message, the C API, the runtime. Thread: what is marked so hands over to the pool's
/// I/O thread, where all the rest runs.
///
/// Lifetime: handles (consumer) share a token whose end stops the claiming; messages and what is under way keep the core
/// itself alive, so that leases are renewed and settled when no handle is left.

#include "io/component.hpp"
#include "queue/claim_call.hpp"
#include "queue/claim_plan.hpp"
#include "queue/lane_rotation.hpp"
#include "queue/lease_keeper.hpp"
#include "queue/loop_inbox.hpp"
#include "queue/message_state.hpp"
#include "queue/peek_hub.hpp"
#include "queue/promoter.hpp"
#include "queue/queue_metrics.hpp"
#include "queue/queue_sampler.hpp"
#include "queue/reaper.hpp"
#include "queue/settler.hpp"

#include <corbel/log.hpp>

#include <boost/asio/post.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include <atomic>
#include <deque>
#include <list>
#include <map>
#include <random>

namespace corbel::detail {

class consumer_core final : public component, public std::enable_shared_from_this<consumer_core> {
 public:
  /// Checks the options (throws failure) and begins. The pointer is a handle: the last copy to go stops the claiming.
  static std::shared_ptr<consumer_core> open(const redis_pool &pool, queue_options options);

  consumer_core(const redis_pool &pool, queue_options options);
  ~consumer_core() override;
  io_executor executor() const { return pool_.executor(); }
  const queue_options &options() const noexcept { return options_; }
  const std::vector<queue_lane> &lanes() const noexcept { return protocol_->lanes(); }

  // Any thread. A ticket of 0: none is needed.
  error refusal() const;
  std::uint64_t next_ticket() noexcept { return ticket_base_ + ticket_count_.fetch_add(1, std::memory_order_relaxed); }
  /// Whoever gets a message owes drop() for it.
  void start_take(operation_ptr<message_ptr> op, std::uint64_t ticket = 0);
  void start_drain(call c, operation_ptr<std::size_t> op, std::uint64_t ticket = 0);
  /// Throws failure when it is out of range.
  void set_concurrency(std::uint32_t concurrency);
  /// Why a settlement cannot begin now; after success start_settle has to follow.
  error admit_settle(message_state &m, const settle_request &how) const;
  void start_settle(message_ptr m, settle_request how, call c, operation_ptr<bool> op, std::uint64_t ticket = 0);
  void start_wait_lost(message_ptr m, operation_ptr<bool> op, std::uint64_t ticket = 0);
  /// Has fn called on the loop for every delivered message whose lease is lost before the caller settles it. Before the
  /// first take.
  void on_lost(std::function<void(const message_ptr &)> fn);
  /// The caller destroyed the message.
  void drop(message_ptr m);
  void log(log_level level, std::string text) const;
  void log_settle(const message_state &m, settle how, const std::string &reason) const;
  bool forked() const noexcept;

  // component
  loop &home() noexcept override;
  std::string left() const override;
  void drain(std::function<void()> idle) override;
  void abort() override;
  void cancel(std::uint64_t ticket) override;

 private:
  struct taker {
    std::uint64_t ticket;
    operation_ptr<message_ptr> op;
  };
  struct waiting_drain {
    waiting_drain(std::uint64_t t, operation_ptr<std::size_t> o, const io_executor &e)
        : ticket(t), op(std::move(o)), timer(e) {}
    std::uint64_t ticket;
    operation_ptr<std::size_t> op;
    boost::asio::steady_timer timer;
    std::size_t left = 0;  // handed back because its time was over
  };
  struct lost_claim {
    std::string name;
    lease_clock::clock::time_point until;  // then its leases have ended
    bool unseen = false;                   // see claim_answer
    int unfound = 0;                       // recalls that found nothing
  };

  // consumer_core.cpp: what happens, and what is done then
  void begin();
  void step();
  void rest(claim_plan::rest how);
  void watch_ahead();
  void poll_after(std::chrono::milliseconds pause);
  void reconnected();
  void reaped(const reap_answer &answer);
  // consumer_claim.cpp: claims on their way
  claim_request next_claim(std::uint32_t most);
  void claim(std::uint32_t most);
  bool arm(redis_lease &lease, std::chrono::milliseconds timeout);
  void disarm();
  void disarm_later();
  void claimed(const claim_request &request, lease_clock::clock::time_point since, result<claim_answer> &r);
  void take_in(claim_answer &answer, lease_clock::clock::time_point since);
  void claim_failed(lost_claim claim, const error &why);
  void recall();
  void recall(lost_claim claim, bool under_way);
  // consumer_settle.cpp: what becomes of messages
  void settle_now(const message_ptr &m, const settle_request &how, std::chrono::milliseconds timeout, std::uint64_t ticket,
                  settler::told_function told);
  void dropped(const message_ptr &m);
  void hand_back(std::uint32_t count);
  void ignore(const claimed_ptr &m);
  void settle_undelivered(const claimed_ptr &m, settle how);
  void lost(std::uint64_t token);
  void tell_lost(const message_ptr &m);
  void tell_watchers(message_state &m, bool was_lost);
  void count_settled(const message_state &m);
  // consumer_end.cpp: draining, freeing, the end of pool or runtime
  void begin_drain(std::uint64_t ticket, std::chrono::milliseconds timeout, operation_ptr<std::size_t> op);
  void drain_overdue(std::uint64_t ticket);
  void end_drain(std::uint64_t ticket, result<std::size_t> r);
  void end_drains(const result<std::size_t> &r);
  void end_operation(std::uint64_t ticket);
  void stop_watching(const message_ptr &m, std::uint64_t ticket);
  void release();
  void stop(const error &why);
  void pool_ended(const error &why);
  void check_ended();
  std::size_t unsettled() const noexcept { return plan_.out() + handing_back_; }

  std::chrono::milliseconds patience(call c) const noexcept;
  template <class F>
  void on_loop(F f);
  template <class T>
  std::uint64_t make_cancellable(operation_ptr<T> &op, std::uint64_t ticket);

  const queue_options options_;
  redis_pool pool_;
  const std::shared_ptr<const queue_protocol> protocol_;
  const std::string name_;  // of this consumer: begins the names of its claims
  std::uint64_t number_ = 0, ticket_base_ = 0, follower_ = 0;
  std::atomic<std::uint64_t> ticket_count_{1};
  std::atomic<bool> ended_{false};  // pool or runtime have ended: the loop may not run any more
  loop_inbox<consumer_core> inbox_;

  claim_plan plan_;
  lane_rotation rotation_;
  std::deque<taker> takers_;
  std::deque<claimed_ptr> buffered_;
  boost::unordered_flat_map<std::uint64_t, std::weak_ptr<message_state>> out_;  // delivered and not settled, by token
  std::map<std::uint64_t, std::weak_ptr<message_state>> watched_;  // by the ticket of who waits to hear of a loss
  std::list<waiting_drain> drains_;
  std::vector<lost_claim> lost_claims_;
  std::string claim_trouble_;  // what was logged of failing claims
  std::uint64_t claims_ = 0;
  std::size_t handing_back_ = 0;  // never delivered, being settled
  error why_stopped_;
  std::function<void()> idle_;  // the runtime waits for the settlements under way
  std::function<void(const message_ptr &)> on_lost_;
  std::minstd_rand random_;
  const std::shared_ptr<settler> settler_;
  std::shared_ptr<lease_keeper> leases_;
  std::shared_ptr<reaper> reaper_;
  std::shared_ptr<promoter> promoter_;
  std::shared_ptr<peek_hub> peeks_;
  peek_hub::waiter waiter_;
  std::shared_ptr<queue_sampler> sampler_;
  bool cannot_peek_ = false;
  bool disarming_ = false;  // the claim that was sent ahead is given up
  boost::asio::steady_timer poll_timer_, ahead_timer_, armed_timer_;
  bool polling_ = false, watching_ahead_ = false, watching_armed_ = false;
  std::uint64_t deliveries_ = 0;  // steps that delivered something
  const std::shared_ptr<queue_counters> counters_ = std::make_shared<queue_counters>();
  const queue_metrics metrics_;
};

/// Runs f(*this) on the loop, in the order of the calls.
template <class F>
void consumer_core::on_loop(F f) {
  if (inbox_.push(std::move(f))) boost::asio::post(executor(), [self = shared_from_this()] { self->inbox_.run(*self); });
}

/// The ticket by which cancel() finds the operation; a cancellation of its caller does the same.
template <class T>
std::uint64_t consumer_core::make_cancellable(operation_ptr<T> &op, std::uint64_t ticket) {
  if (ticket == 0) ticket = next_ticket();
  if (op->cancellable()) {
    op->on_cancel([weak = weak_from_this(), ticket] {
      if (auto core = weak.lock()) core->on_loop([ticket](consumer_core &self) { self.end_operation(ticket); });
    });
  }
  return ticket;
}

}  // namespace corbel::detail
