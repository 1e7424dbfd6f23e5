#pragma once
/// A queue on Redis lists, at least once. LPUSH in; a claim moves from the ready list's right end to the in-flight list and
/// leases it; acknowledging removes it; what a dead consumer held comes back when its lease ends.
///
///     corbel::producer in(redis, {.name = "work"});
///     corbel::put_item item{.body = "text"};                            // named: GCC 12 miscompiles braces inside co_await
///     co_await in.async_put(std::move(item), asio::use_awaitable);
///     corbel::consumer out(redis, {.name = "work", .concurrency = 8});
///     auto m = co_await out.async_take(asio::use_awaitable);            // result<message>
///     co_await m->async_settle(corbel::settle::done, {}, asio::use_awaitable);
///
/// Threads: producer and consumer any; a message one at a time. Keys: name (ready), name:inflight, name:leases,
/// name:attempts, name:token, and the channel name:wake.

#include <corbel/redis_pool.hpp>

#include <optional>
#include <string>
#include <vector>

namespace corbel {

struct queue_options {
  std::string name = "corbel:queue";
  std::uint32_t concurrency = 1;           ///< consumer: messages out at once
  std::uint32_t prefetch = 0;              ///< consumer: claimed ahead of concurrency
  std::chrono::milliseconds lease{30000};  ///< consumer: how long a claim holds without renewal
};

struct put_item {
  std::string body;
  std::string id = {};  ///< empty: made by the library; at most 128 bytes, no control characters
};

struct put_receipt {
  std::vector<std::string> ids;
  std::int64_t depth = 0;  ///< LLEN of the ready list after the put
};

namespace detail {
class producer_core;
class consumer_core;
struct message_state;
}  // namespace detail

class producer {
 public:
  explicit producer(const redis_pool &pool, queue_options options = {});

  /// Puts all items, in order, in one round trip. Signature: void(result<put_receipt>). A put whose answer was lost is an
  /// error whose may_be_applied() is true.
  template <class Token>
  auto async_put(std::vector<put_item> items, call c, Token &&token) {
    return detail::initiate<put_receipt>(
        [core = core_, items = std::move(items), c](detail::operation_ptr<put_receipt> op) mutable {
          start_put(core, std::move(items), c, std::move(op));
        },
        executor(), token);
  }
  template <class Token>
  auto async_put(put_item item, Token &&token) {
    std::vector<put_item> one;
    one.push_back(std::move(item));
    return async_put(std::move(one), call{}, std::forward<Token>(token));
  }
  /// LLEN of the ready list. Signature: void(result<std::int64_t>).
  template <class Token>
  auto async_depth(call c, Token &&token) {
    return detail::initiate<std::int64_t>(
        [core = core_, c](detail::operation_ptr<std::int64_t> op) { start_depth(core, c, std::move(op)); }, executor(),
        token);
  }

 private:
  using core_ptr = std::shared_ptr<detail::producer_core>;
  static void start_put(const core_ptr &, std::vector<put_item>, call, detail::operation_ptr<put_receipt>);
  static void start_depth(const core_ptr &, call, detail::operation_ptr<std::int64_t>);
  detail::io_executor executor() const;
  core_ptr core_;
};

enum class settle : std::int32_t {
  done = 1,       ///< worked: removed
  retry = 2,      ///< back to the ready list's front; counts as an attempt
  hand_back = 4,  ///< back as if it had not been claimed
};

/// One leased message. Its lease is renewed until it is settled or destroyed; destroyed unsettled it is handed back.
class message {
 public:
  message() noexcept = default;
  explicit message(std::shared_ptr<detail::message_state> s) noexcept : state_(std::move(s)) {}
  message(message &&) noexcept = default;
  message &operator=(message &&) noexcept;
  ~message();
  explicit operator bool() const noexcept { return state_ != nullptr; }

  const std::string &id() const noexcept;
  std::string_view body() const noexcept;
  std::uint32_t attempt() const noexcept;  ///< 1 for the first delivery
  std::uint64_t token() const noexcept;    ///< fencing token: grows with every claim of the queue

  /// Settles once; a second call is status::state. Signature: void(result<bool>): false when the lease had been lost.
  /// Sent again after a loss until its deadline, for it may be repeated safely.
  template <class Token>
  auto async_settle(settle how, call c, Token &&token) {
    return detail::initiate<bool>([this, how, c](detail::operation_ptr<bool> op) { start_settle(how, c, std::move(op)); },
                                  executor(), token);
  }

 private:
  detail::io_executor executor() const;
  void start_settle(settle how, call c, detail::operation_ptr<bool> op);
  std::shared_ptr<detail::message_state> state_;
};

class consumer {
 public:
  /// Begins to claim.
  explicit consumer(const redis_pool &pool, queue_options options = {});

  /// The next message; waits without limit. Signature: void(result<message>). Many may wait. Ends with status::closed
  /// after a drain.
  template <class Token>
  auto async_take(Token &&token) {
    return detail::initiate<message>([core = core_](detail::operation_ptr<message> op) { start_take(core, std::move(op)); },
                                     executor(), token);
  }
  /// Stops claiming, hands back what was not taken, waits until every taken message is settled or the deadline passes.
  /// Signature: void(result<std::size_t>): how many were left.
  template <class Token>
  auto async_drain(call c, Token &&token) {
    return detail::initiate<std::size_t>(
        [core = core_, c](detail::operation_ptr<std::size_t> op) { start_drain(core, c, std::move(op)); }, executor(),
        token);
  }

 private:
  using core_ptr = std::shared_ptr<detail::consumer_core>;
  static void start_take(const core_ptr &, detail::operation_ptr<message>);
  static void start_drain(const core_ptr &, call, detail::operation_ptr<std::size_t>);
  detail::io_executor executor() const;
  core_ptr core_;  // a handle on the core: the last one to go stops claiming
};

}  // namespace corbel
