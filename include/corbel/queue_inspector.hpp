#pragma once
/// What a queue holds, seen from outside, and its dead list.
///
///     corbel::queue_inspector look(redis, {.name = "work"});
///     auto stats = co_await look.async_stats({}, asio::use_awaitable);        // result<queue_stats>
///     auto page = co_await look.async_dead({}, 50, {}, asio::use_awaitable);  // result<dead_page>
///     co_await look.async_requeue({page->messages[0].number}, {}, asio::use_awaitable);
///
/// Threads: any. Nothing here costs more the longer the queue is, but for what is returned, and on `platform` queues what is
/// in flight up to max_in_flight.

#include <corbel/queue_options.hpp>
#include <corbel/redis_pool.hpp>

#include <string>
#include <vector>

namespace corbel {

struct lane_stats {
  std::string name;  ///< empty on a native queue without lanes
  std::int64_t ready = 0;
  std::int64_t in_flight = 0;               ///< platform only; of a native queue see queue_stats
  std::chrono::milliseconds oldest_age{0};  ///< of the message that is claimed next; 0: none, or not known
};

struct queue_stats {
  std::vector<lane_stats> lanes;
  std::int64_t ready = 0, in_flight = 0, delayed = 0, parked = 0, dead = 0;  ///< parked: wait for others of their group
  std::chrono::milliseconds oldest_age{0};                                   ///< the greatest of the lanes'
  /// One JSON object with these members, in milliseconds.
  std::string json() const;
};

/// One attempt that did not end well.
struct failed_attempt {
  std::uint32_t attempt = 0;
  std::chrono::system_clock::time_point at;
  std::string by;      ///< the consumer
  std::string reason;  ///< what its settlement said, or that the lease ended
};

struct dead_message {
  std::uint64_t number = 0;  ///< names it in the dead list
  std::string id, body, lane, group, reason;
  std::uint32_t attempts = 0;
  std::chrono::system_clock::time_point died_at;
  std::vector<failed_attempt> history;  ///< the newest 25
};

struct dead_page {
  std::vector<dead_message> messages;  ///< the longest dead first
  std::optional<std::uint64_t> next;   ///< give it as `after` for the next page; none: this was the last
};

namespace detail {
class inspector_core;
}

class queue_inspector {
 public:
  explicit queue_inspector(const redis_pool &pool, queue_options options = {});

  /// Signature: void(result<queue_stats>).
  template <class Token>
  auto async_stats(call c, Token &&token) {
    return detail::initiate<queue_stats>(
        [core = core_, c](detail::operation_ptr<queue_stats> op) { start_stats(core, c, std::move(op)); }, executor(),
        token);
  }
  /// A page of the dead list, at most `count` (1 to 1,000) messages and 8 MiB of bodies. Signature: void(result<dead_page>).
  template <class Token>
  auto async_dead(std::optional<std::uint64_t> after, std::size_t count, call c, Token &&token) {
    return detail::initiate<dead_page>(
        [core = core_, after, count, c](detail::operation_ptr<dead_page> op) {
          start_dead(core, after, count, c, std::move(op));
        },
        executor(), token);
  }
  /// Puts dead messages back on their ready lists with their attempts forgotten; none given: all. Signature:
  /// void(result<std::size_t>): how many there were.
  template <class Token>
  auto async_requeue(std::vector<std::uint64_t> numbers, call c, Token &&token) {
    return detail::initiate<std::size_t>(
        [core = core_, numbers = std::move(numbers), c](detail::operation_ptr<std::size_t> op) {
          start_change(core, true, numbers, c, std::move(op));
        },
        executor(), token);
  }
  /// Removes dead messages for good; none given: all. Signature: void(result<std::size_t>): how many there were.
  template <class Token>
  auto async_purge(std::vector<std::uint64_t> numbers, call c, Token &&token) {
    return detail::initiate<std::size_t>(
        [core = core_, numbers = std::move(numbers), c](detail::operation_ptr<std::size_t> op) {
          start_change(core, false, numbers, c, std::move(op));
        },
        executor(), token);
  }

 private:
  using core_ptr = std::shared_ptr<detail::inspector_core>;
  static void start_stats(const core_ptr &, call, detail::operation_ptr<queue_stats>);
  static void start_dead(const core_ptr &, std::optional<std::uint64_t>, std::size_t, call,
                         detail::operation_ptr<dead_page>);
  static void start_change(const core_ptr &, bool requeue, const std::vector<std::uint64_t> &, call,
                           detail::operation_ptr<std::size_t>);
  detail::io_executor executor() const;
  core_ptr core_;
};

}  // namespace corbel
