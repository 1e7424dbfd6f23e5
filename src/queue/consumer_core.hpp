#pragma once
/// Owns: the leasing side of a queue: who waits for a message, what was claimed, what is out; carries out what claim_plan
/// decides. Callers: consumer and message. Thread: public members any; they post to the pool's I/O thread, where all the
/// rest runs.
///
/// Lifetime: handles (consumer) share a token whose end stops the claiming; messages and what is under way keep the core
/// itself alive, so that leases are renewed and settled when no handle is left.

#include "base/fork_guard.hpp"
#include "queue/claim_plan.hpp"
#include "queue/lease_keeper.hpp"
#include "queue/message_state.hpp"
#include "queue/reaper.hpp"
#include "queue/wake_listener.hpp"

#include <atomic>
#include <deque>
#include <list>

namespace corbel::detail {

class consumer_core : public std::enable_shared_from_this<consumer_core> {
 public:
  /// Checks the options (throws failure) and begins. The pointer is a handle: the last copy to go stops the claiming.
  static std::shared_ptr<consumer_core> open(const redis_pool &pool, queue_options options);

  consumer_core(const redis_pool &pool, queue_options options);
  io_executor executor() const { return pool_.executor(); }
  bool forked() const noexcept { return stamp_.forked(); }

  // Any thread.
  void take(operation_ptr<message> op);
  void drain(call c, operation_ptr<std::size_t> op);
  void settle_message(std::shared_ptr<message_state> m, settle how, call c, operation_ptr<bool> op);
  /// The caller destroyed the message.
  void drop(std::shared_ptr<message_state> m);

 private:
  struct taker {
    std::uint64_t id;
    operation_ptr<message> op;
  };
  struct waiting_drain {
    waiting_drain(std::uint64_t i, operation_ptr<std::size_t> o, const io_executor &e) : id(i), op(std::move(o)), timer(e) {}
    std::uint64_t id;
    operation_ptr<std::size_t> op;
    boost::asio::steady_timer timer;
  };
  struct lost_claim {
    std::string name;
    lease_clock::clock::time_point until;  // then its leases have ended
    int unfound = 0;                       // recalls that found nothing
  };

  // consumer_core.cpp: claiming
  void begin();
  void step();
  void claim(std::uint32_t most);
  void claimed(const std::string &name, lease_clock::clock::time_point since, const result<redis_reply> &r);
  void recall();
  void poll();
  void reconnected();
  // consumer_settle.cpp: what becomes of messages
  void begin_settle(std::shared_ptr<message_state> m, settle how, std::chrono::milliseconds timeout,
                    std::function<void(const result<bool> &)> told);
  void dropped(const std::shared_ptr<message_state> &m);
  void hand_back(claimed_message m);
  // consumer_end.cpp: draining, freeing, the pool's end
  void begin_drain(std::uint64_t id, std::chrono::milliseconds timeout, operation_ptr<std::size_t> op);
  void end_drain(std::uint64_t id, result<std::size_t> r);
  void release();
  void pool_ended(const error &why);
  void stop(const error &why);
  void check_ended();
  std::size_t left() const noexcept { return plan_.out() + handing_back_; }

  std::chrono::milliseconds patience(call c) const noexcept;
  template <class T>
  std::uint64_t make_cancellable(operation_ptr<T> &op, void (consumer_core::*cancel)(std::uint64_t));
  void cancel_take(std::uint64_t id);
  void cancel_drain(std::uint64_t id);

  const queue_options options_;
  const fork_stamp stamp_;
  redis_pool pool_;
  const std::shared_ptr<const queue_keys> keys_;
  const std::string name_;  // of this consumer: begins the names of its claims
  std::atomic<std::uint64_t> last_id_{0};

  claim_plan plan_;
  std::deque<taker> takers_;
  std::deque<claimed_message> buffered_;
  std::list<waiting_drain> drains_;
  std::vector<lost_claim> lost_claims_;
  std::uint64_t claims_ = 0;
  std::size_t handing_back_ = 0;  // never delivered, on their way back
  error why_stopped_;
  const std::shared_ptr<lease_keeper> leases_;
  const std::shared_ptr<reaper> reaper_;
  std::shared_ptr<wake_listener> wakes_;
  boost::asio::steady_timer poll_timer_;
  bool polling_ = false;
};

}  // namespace corbel::detail
