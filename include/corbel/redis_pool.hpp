#pragma once
/// A Redis pool: shared pipelines for commands, leases of whole connections, one connection for subscriptions, all under
/// one cap. It connects by itself, again and again.
///
///     corbel::redis_pool redis(rt, {.url = "redis://localhost"});
///     auto r = co_await redis.async_send(corbel::redis_command("GET", "key"), asio::use_awaitable);
///     if (r) use(r->root().text()); else log(r.error().message());
///
/// Threads: a pool may be used by any thread at once; a lease by one at a time. On a shared pipeline no order is promised
/// between commands; on a lease they run in order. Copies of a pool are the same pool; it closes with the last.

#include <corbel/call.hpp>
#include <corbel/detail/redis_request.hpp>
#include <corbel/redis_command.hpp>
#include <corbel/redis_reply.hpp>
#include <corbel/runtime.hpp>

#include <limits>
#include <memory>
#include <string>

namespace corbel {

inline constexpr std::uint32_t unbounded = CORBEL_UNBOUNDED;

/// Defaults and meaning as in corbel_redis_options (corbel/c/redis.h). Durations of 0 or less switch off where it says
/// "never".
struct redis_options {
  std::string url = "redis://localhost:6379/0";
  std::string kind = "redis";
  std::uint32_t max_size = 32;
  std::uint32_t max_waiting = 65536;
  std::uint32_t max_connecting = 4;
  std::string tls_ca = {}, tls_cert = {}, tls_key = {}, tls_name = {};
  std::chrono::milliseconds connect_timeout{5000};
  std::chrono::milliseconds call_timeout{5000};  ///< call::unlimited: none
  std::chrono::milliseconds idle_ping{30000};    ///< <= 0: never
  std::chrono::milliseconds ping_overdue{5000};  ///< a PING's answer later than this is a lost connection
  std::chrono::milliseconds lifetime{0};         ///< <= 0: no limit
  std::chrono::milliseconds idle_limit{60000};   ///< <= 0: never
  std::uint64_t max_reply_bytes = 64u << 20;
  std::uint64_t max_reply_elements = 1u << 20;
  std::uint32_t max_reply_depth = 7;
  /// Hands out text only: a reply that holds other bytes than UTF-8 fails its caller, and no other, with status::protocol,
  /// and a message that does is dropped and counted as such.
  bool utf8_replies = false;
  std::chrono::microseconds busy_poll{50};  ///< <= 0: never
};

using redis_stats = corbel_redis_stats;

namespace detail {
class redis_pool_core;
class redis_connection;
}  // namespace detail

/// An exclusive connection. Destroying it gives the connection back, or discards it when its state is unknown.
class redis_lease {
 public:
  redis_lease() noexcept = default;
  explicit redis_lease(std::shared_ptr<detail::redis_connection> c) noexcept : connection_(std::move(c)) {}
  ~redis_lease() { release(); }
  redis_lease(redis_lease &&) noexcept = default;
  redis_lease &operator=(redis_lease &&o) noexcept {
    if (this != &o) {
      release();
      connection_ = std::move(o.connection_);
    }
    return *this;
  }
  explicit operator bool() const noexcept { return connection_ != nullptr; }

  /// One command, in order. Signature: void(result<redis_reply>).
  template <class Token>
  auto async_send(redis_command command, call c, Token &&token) {
    return detail::initiate_request([connection = connection_](std::unique_ptr<detail::redis_request> r,
                                                               call given) { start_send(connection, std::move(r), given); },
                                    executor(), std::move(command), c, token);
  }
  template <class Token>
  auto async_send(redis_command command, Token &&token) {
    return async_send(std::move(command), call{}, std::forward<Token>(token));
  }

  /// Gives the connection back now.
  void release() noexcept;

  const std::shared_ptr<detail::redis_connection> &connection() const noexcept { return connection_; }

 private:
  static void start_send(const std::shared_ptr<detail::redis_connection> &c, std::unique_ptr<detail::redis_request> r,
                         call options);
  detail::io_executor executor() const;
  std::shared_ptr<detail::redis_connection> connection_;
};

class redis_pool {
 public:
  /// Begins to connect; does not wait. Throws failure when an option or the URL is wrong.
  redis_pool(runtime &rt, redis_options options);

  /// One command on a shared pipeline. Signature: void(result<redis_reply>). A server error is an error of
  /// status::refused whose native() is the server's code. Commands that change or block a connection are status::invalid.
  template <class Token>
  auto async_send(redis_command command, call c, Token &&token) const {
    return detail::initiate_request(
        [core = core_](std::unique_ptr<detail::redis_request> r, call given) { start_send(core, std::move(r), given); },
        executor(), std::move(command), c, token);
  }
  template <class Token>
  auto async_send(redis_command command, Token &&token) const {
    return async_send(std::move(command), call{}, std::forward<Token>(token));
  }

  /// One command from a thread that may block. Never on an I/O thread: status::state there.
  result<redis_reply> send(redis_command command, call c = {}) const;

  /// Waits in FIFO order for an exclusive connection. Signature: void(result<redis_lease>).
  template <class Token>
  auto async_lease(call c, Token &&token) const {
    return detail::initiate<redis_lease>(
        [core = core_, c](detail::operation_ptr<redis_lease> op) { start_lease(core, std::move(op), c); }, executor(),
        token);
  }
  template <class Token>
  auto async_lease(Token &&token) const {
    return async_lease(call{}, std::forward<Token>(token));
  }
  /// An idle connection at once, or an empty lease. Never waits, never connects. Any thread.
  redis_lease try_lease() const noexcept;

  /// Another cap, live: growth at once; shrinking by closing idle connections now, busy ones when they come back or have
  /// nothing under way. Leases in use and what is under way are never cut, so the pool may be over its cap for a while.
  /// status::invalid for 0. Any thread.
  result<void> resize(std::uint32_t max_size);

  /// Refuses new calls, lets those under way complete until the deadline, closes. Signature: void(result<void>).
  template <class Token>
  auto async_close(call c, Token &&token) {
    return detail::initiate<void>([core = core_, c](detail::operation_ptr<void> op) { start_close(core, std::move(op), c); },
                                  executor(), token);
  }

  redis_stats stats() const;
  detail::io_executor executor() const;
  const std::shared_ptr<detail::redis_pool_core> &core() const noexcept;

 private:
  using core_ptr = std::shared_ptr<detail::redis_pool_core>;
  static void start_send(const core_ptr &core, std::unique_ptr<detail::redis_request> r, call c);
  static void start_lease(const core_ptr &core, detail::operation_ptr<redis_lease> op, call c);
  static void start_close(const core_ptr &core, detail::operation_ptr<void> op, call c);
  core_ptr core_;  // a handle on the core: the last one to go closes the pool
};

}  // namespace corbel
