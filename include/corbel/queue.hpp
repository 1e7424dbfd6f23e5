#pragma once
/// A queue on Redis lists, at least once. A put goes to the ready list's left end; a claim takes from its right end and
/// leases what it took; acknowledging removes it; what a dead consumer held comes back when its lease ends, and after too
/// many attempts goes to the dead list.
///
///     corbel::producer in(redis, {.name = "work"});
///     corbel::put_item item{.body = "text"};                            // named: GCC 12 miscompiles braces inside co_await
///     co_await in.async_put(std::move(item), asio::use_awaitable);
///     corbel::consumer out(redis, {.name = "work", .concurrency = 8});
///     auto m = co_await out.async_take(asio::use_awaitable);            // result<message>
///     co_await m->async_settle(corbel::settle::done, {}, asio::use_awaitable);
///
/// Threads: producer and consumer any; a message one at a time.

#include <corbel/queue_options.hpp>
#include <corbel/redis_pool.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace corbel {

/// platform: what a put writes to a conversation's lane of events together with its message, all or none.
struct event_records {
  struct event {
    std::string id;      ///< message_id; a record of the same id is written over
    std::string record;  ///< the event as JSON, kept as it is
  };
  std::string conversation, user = {}, agent = {};  ///< user: its id or fingerprint; agent empty: the platform's default one
  std::vector<event> events = {};
};

struct put_item {
  std::string body;
  std::string id = {};    ///< empty: made by the library; at most 128 bytes, no control characters. platform: the task's
  std::string lane = {};  ///< one of the queue's lanes; empty: the first. platform: the user type; empty: the task's
  /// Messages of one group run one at a time, in order; at most 128 bytes, no control characters. platform: the conversation
  /// that the task names, so it stays empty.
  std::string group = {};
  /// A put with a key that was put within the window is not put again, and counts as done; at most 256 bytes.
  std::string idempotency_key = {};
  std::chrono::milliseconds delay{0};                     ///< not claimed before so long after the put ...
  std::chrono::system_clock::time_point not_before = {};  ///< ... or before this time, by the server's clock
  event_records events = {};                              ///< platform only
};

struct put_receipt {
  std::vector<std::string> ids;            ///< of a repeated put: the id that it had the first time
  std::vector<std::size_t> repeated = {};  ///< indices of items whose idempotency key was known: nothing was put
  std::int64_t depth = 0;                  ///< ready messages, all lanes, after the put
};

namespace detail {
class producer_core;
class consumer_core;
struct message_state;
}  // namespace detail

class producer {
 public:
  explicit producer(const redis_pool &pool, queue_options options = {});

  /// Puts all items, in order, or none, in one round trip; puts that are under way together leave in one. Signature:
  /// void(result<put_receipt>). A put whose answer was lost is an error whose may_be_applied() is true; it is safe to repeat
  /// where all its items have idempotency keys. One that is refused by admission is status::busy, source "queue", native the
  /// reason ("hard_limit_exceeded", "queue_size_exceeded", "no_healthy_processes" ...), with the fields depth, capacity,
  /// processes and retry_after (seconds).
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
  /// Other rules of admission, or none, for every put that has not been sent yet. Throws failure when one is wrong:
  /// status::invalid.
  void set_admission(std::optional<queue_admission> admission);
  /// Ready messages of all lanes. Signature: void(result<std::int64_t>).
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
  retry = 2,      ///< tried again, after the queue's back-off or when the request says; after max_attempts it is buried
  bury = 3,       ///< to the dead list
  hand_back = 4,  ///< back as if it had not been claimed
};

struct settle_request {
  settle_request(settle s) : how(s) {}  // NOLINT(google-explicit-constructor): settle::done alone is a request
  settle how;
  std::optional<std::chrono::milliseconds> delay = {};    ///< retry: instead of the back-off; 0: at once, before all others
  std::chrono::system_clock::time_point not_before = {};  ///< retry: or at this time, by the server's clock
  std::string reason = {};                                ///< retry, bury: kept in the message's history, 512 bytes of it
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
  std::uint32_t attempt() const noexcept;  ///< 1 for the first delivery; counted by the server
  /// Fencing token: grows with every claim of the queue. Give it to what the handler changes elsewhere, which then refuses a
  /// smaller one than it has seen.
  std::uint64_t token() const noexcept;
  std::string_view lane() const noexcept;
  std::string_view group() const noexcept;
  std::chrono::system_clock::time_point put_at() const noexcept;  ///< by the server's clock; the epoch where it is not known

  /// True once the lease was lost: the message is another's, and settling it does nothing. Any thread.
  bool lost() const noexcept;
  /// Completes when the lease was lost (true), at once after the library knows, or when the message was settled (false).
  /// Signature: void(result<bool>).
  template <class Token>
  auto async_wait_lost(Token &&token) {
    return detail::initiate<bool>([this](detail::operation_ptr<bool> op) { start_wait_lost(std::move(op)); }, executor(),
                                  token);
  }

  /// Settles once; a second call is status::state. Signature: void(result<bool>): false when the lease had been lost.
  /// Sent again after a loss until its deadline, for it may be repeated safely. Settlements that are under way together
  /// leave in one command.
  template <class Token>
  auto async_settle(settle_request how, call c, Token &&token) {
    return detail::initiate<bool>(
        [this, how = std::move(how), c](detail::operation_ptr<bool> op) { start_settle(how, c, std::move(op)); }, executor(),
        token);
  }

 private:
  detail::io_executor executor() const;
  void start_settle(settle_request how, call c, detail::operation_ptr<bool> op);
  void start_wait_lost(detail::operation_ptr<bool> op);
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
  /// Another concurrency, 1 to 65,536. More: messages are claimed for it at once. Less: what is out comes to its end, and
  /// nothing more is claimed until fewer are out. prefetch stays. Throws failure when it is wrong: status::invalid.
  void set_concurrency(std::uint32_t concurrency);
  /// Stops claiming, hands back what was not taken, waits until every taken message is settled; what is not when the
  /// deadline passes is handed back too, uncounted as an attempt, and is lost() for whoever has it. Signature:
  /// void(result<std::size_t>): how many of those there were.
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
