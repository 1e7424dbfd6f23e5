#pragma once
/// Owns: the writing side of a queue. Puts that come in one I/O batch, or while script calls are under way, leave together
/// in the next call; each caller's put is all or none and has its own outcome. Callers: producer, the C API, the runtime.
/// Thread: what is marked so hands over to the pool's I/O thread, where all the rest runs.

#include "base/batch.hpp"
#include "io/component.hpp"
#include "queue/fleet_watch.hpp"
#include "queue/loop_inbox.hpp"
#include "queue/protocol.hpp"
#include "queue/queue_metrics.hpp"
#include "queue/server_clock.hpp"

#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <deque>
#include <map>
#include <optional>

namespace corbel::detail {

class producer_core final : public component, public std::enable_shared_from_this<producer_core>, private batch_scope::task {
 public:
  /// Checks the options (throws failure). The pointer is a handle like a pool's; puts under way end without it too.
  static std::shared_ptr<producer_core> open(const redis_pool &pool, queue_options options);
  producer_core(const redis_pool &pool, queue_options options);
  ~producer_core() override;

  // Any thread. A ticket of 0: none is needed.
  const redis_pool &pool() const noexcept { return pool_; }
  error refusal() const;
  /// Why these items cannot be put; success when they can.
  error check(const put_group &items) const { return protocol_->check(items); }
  std::uint64_t next_ticket() noexcept { return ticket_base_ + ticket_count_.fetch_add(1, std::memory_order_relaxed); }
  void put(put_group items, call c, operation_ptr<put_receipt> op, std::uint64_t ticket = 0);
  /// Throws failure when a rule is wrong.
  void set_admission(std::optional<queue_admission> rules);
  void depth(call c, operation_ptr<std::int64_t> op, std::uint64_t ticket = 0);

  // component
  loop &home() noexcept override;
  std::string left() const override;
  void drain(std::function<void()> idle) override;
  void abort() override;
  void cancel(std::uint64_t ticket) override;

 private:
  using clock = std::chrono::steady_clock;
  struct pending {
    put_group items;
    operation_ptr<put_receipt> op;  // none: it has ended
    std::uint64_t ticket = 0;
    clock::time_point deadline;
    bool idempotent = false;
  };
  struct sent {
    std::vector<put_group> groups;
    std::vector<pending> callers;  // their items are in groups
    std::optional<put_admission> admission;
  };

  void accept(pending p);
  void end_of_batch() noexcept override;
  void flush();
  std::shared_ptr<sent> next_batch();
  void send(std::uint64_t call_number, const std::shared_ptr<sent> &s);
  void answered(std::uint64_t call_number, const result<redis_reply> &r);
  void failed(std::uint64_t call_number, const error &why);
  void end_one(pending &p, put_group &items, const put_outcome &outcome, std::int64_t ready, const sent &s);
  void expire();
  void arm();
  void check_idle();
  bool executor_is_here() const noexcept;
  template <class F>
  void on_loop(F f);

  const queue_options options_;
  redis_pool pool_;
  const std::shared_ptr<const queue_protocol> protocol_;
  std::uint64_t number_ = 0, ticket_base_ = 0;
  std::atomic<std::uint64_t> ticket_count_{1};
  std::atomic<bool> ended_{false};
  loop_inbox<producer_core> inbox_;

  std::deque<pending> waiting_;
  std::map<std::uint64_t, std::shared_ptr<sent>> calls_;  // under way
  std::uint64_t last_call_ = 0;
  std::map<std::uint64_t, std::shared_ptr<operation_ptr<std::int64_t>>> depths_;  // by ticket
  std::shared_ptr<producer_core> enlisted_;  // itself, while the batch's end is to call it
  std::optional<fleet_watch> fleet_;         // none: everything is taken
  server_clock server_clock_;
  boost::asio::steady_timer timer_;
  bool armed_ = false;
  std::function<void()> idle_;
  const std::shared_ptr<queue_counters> counters_ = std::make_shared<queue_counters>();
  const queue_metrics metrics_;
};

}  // namespace corbel::detail
