#pragma once
/// Owns: the settlements under way of a consumer. What is settled in one I/O batch, or while calls are under way, leaves
/// together in one script call of its kind; each settlement is sent until an answer or its deadline. Callers: consumer_core.
/// Thread: the pool's I/O thread.

#include "base/batch.hpp"
#include "queue/protocol.hpp"
#include "queue/settle_plan.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include <array>
#include <deque>
#include <functional>

namespace corbel::detail {

class settler final : public std::enable_shared_from_this<settler>, private batch_scope::task {
 public:
  using told_function = std::function<void(const result<bool> &)>;

  /// by: the consumer's name, for histories.
  settler(const redis_pool &pool, std::shared_ptr<const queue_protocol> protocol, std::string by);

  /// told is called once, with true when it was settled now, false when the lease had been lost.
  void settle(std::uint64_t ticket, corbel::settle how, settle_entry entry, std::chrono::milliseconds timeout,
              told_function told);
  /// Ends that settlement now; what was sent may be applied. False when there is none of that ticket.
  bool end(std::uint64_t ticket, const error &why);
  void end_all(const error &why);
  std::size_t under_way() const noexcept { return all_.size(); }

 private:
  struct settlement {
    std::uint64_t ticket;
    corbel::settle how;
    settle_entry entry;
    settle_plan plan;
    told_function told;
    bool ended = false;
  };
  using settlement_ptr = std::shared_ptr<settlement>;
  using batch = std::vector<settlement_ptr>;

  void enqueue(settlement_ptr s);
  void end_of_batch() noexcept override;
  void flush();
  batch next_batch();
  void send(batch some);
  void answered(const batch &some, const std::vector<settle_entry> &entries, const result<redis_reply> &r);
  void go_on(const settlement_ptr &s, const settle_plan::decision &d);
  void end(const settlement_ptr &s, const result<bool> &r);
  std::deque<settlement_ptr> &queue_of(corbel::settle how) { return waiting_[static_cast<std::size_t>(how) - 1]; }

  redis_pool pool_;
  const std::shared_ptr<const queue_protocol> protocol_;
  const std::string by_;
  std::array<std::deque<settlement_ptr>, 4> waiting_;             // by kind
  boost::unordered_flat_map<std::uint64_t, settlement_ptr> all_;  // by ticket
  std::shared_ptr<settler> enlisted_;                             // itself, while the batch's end is to call it
  unsigned calls_ = 0;                                            // script calls under way
};

}  // namespace corbel::detail
