#pragma once
/// Owns: the questions about a queue and its dead list that are under way. Callers: queue_inspector, the C API. Thread: what
/// is marked so hands over to the pool's I/O thread, where all the rest runs.

#include "io/component.hpp"
#include "queue/loop_inbox.hpp"
#include "queue/protocol.hpp"

#include <atomic>
#include <map>

namespace corbel::detail {

class inspector_core final : public component, public std::enable_shared_from_this<inspector_core> {
 public:
  /// Checks the options (throws failure).
  static std::shared_ptr<inspector_core> open(const redis_pool &pool, queue_options options);
  inspector_core(const redis_pool &pool, queue_options options);
  ~inspector_core() override;

  // Any thread. A ticket of 0: none is needed.
  const redis_pool &pool() const noexcept { return pool_; }
  std::uint64_t next_ticket() noexcept { return ticket_base_ + ticket_count_.fetch_add(1, std::memory_order_relaxed); }
  void stats(call c, operation_ptr<queue_stats> op, std::uint64_t ticket = 0);
  void dead(std::optional<std::uint64_t> after, std::size_t count, call c, operation_ptr<dead_page> op,
            std::uint64_t ticket = 0);
  /// requeue: else purge. numbers: none for all that are dead when it begins. An error after some were changed says how many
  /// in its field "done".
  void change(bool requeue, std::vector<std::uint64_t> numbers, call c, operation_ptr<std::size_t> op,
              std::uint64_t ticket = 0);

  // component
  loop &home() noexcept override;
  std::string left() const override;
  void drain(std::function<void()> idle) override;
  void abort() override;
  void cancel(std::uint64_t ticket) override;

 private:
  using clock = std::chrono::steady_clock;
  template <class T>
  struct question {
    operation_ptr<T> op;  // none: it has ended
    std::uint64_t ticket = 0;
  };
  struct changing;

  template <class T>
  std::shared_ptr<question<T>> begin(operation_ptr<T> op, std::uint64_t ticket);
  template <class T>
  void end(question<T> &q, result<T> r);
  template <class T, class Read>
  void ask(script_call s, call c, std::shared_ptr<question<T>> q, Read read);
  void change_some(const std::shared_ptr<changing> &work);
  template <class F>
  void on_loop(F f);

  const queue_options options_;
  const redis_pool pool_;
  const std::shared_ptr<const queue_protocol> protocol_;
  std::uint64_t number_ = 0, ticket_base_ = 0;
  std::atomic<std::uint64_t> ticket_count_{1};
  loop_inbox<inspector_core> inbox_;
  std::map<std::uint64_t, std::function<void(const error &)>> under_way_;  // by ticket: ends it
  std::function<void()> idle_;
};

}  // namespace corbel::detail
