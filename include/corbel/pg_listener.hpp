#pragma once
/// LISTEN: channels wanted by name, on one connection of the pool, kept over reconnects.
///
///     corbel::pg_listener listener(pg);
///     co_await listener.async_listen("news", call{}, asio::use_awaitable);   // completes when the server has confirmed
///     for (;;) {
///       auto batch = co_await listener.async_receive(asio::use_awaitable);   // result<std::vector<pg_notice>>, never empty
///       ...
///     }
///
/// Threads: any. One receive at a time. A slow reader loses the oldest notices and is told how many. A channel may be wanted
/// by many listeners; the server is asked once. Destroying a listener leaves all its channels.

#include <corbel/pg_pool.hpp>

#include <string>
#include <vector>

namespace corbel {

struct pg_notice {
  enum class kind : std::int32_t {
    message,    ///< NOTIFY
    gap,        ///< the connection was lost: what is notified from now on is missed
    listening,  ///< every wanted channel is listened to again
  };
  kind type = kind::message;
  int backend = 0;            ///< the server process that notified
  std::uint64_t epoch = 0;    ///< counts connections of the pool's listeners; a change between two messages is a gap
  std::uint64_t dropped = 0;  ///< messages of this listener lost just before this one because the reader was slow
  std::string channel, payload;
};

namespace detail {
class pg_mailbox;  // notices of one listener, waiting for its reader
}

class pg_listener {
 public:
  /// max_notices: kept for a slow reader.
  explicit pg_listener(const pg_pool &pool, std::size_t max_notices = 4096);
  ~pg_listener();
  pg_listener(pg_listener &&) noexcept;
  pg_listener &operator=(pg_listener &&) noexcept;

  /// Signature: void(result<void>); completes when the server listens. One that fails leaves the channel unwanted.
  template <class Token>
  auto async_listen(std::string channel, call c, Token &&token) {
    return async_change(true, std::move(channel), c, token);
  }
  /// Signature: void(result<void>).
  template <class Token>
  auto async_unlisten(std::string channel, call c, Token &&token) {
    return async_change(false, std::move(channel), c, token);
  }
  /// The notices that are there, at least one, oldest first; waits without limit. Signature:
  /// void(result<std::vector<pg_notice>>). Ends with status::closed when the pool closes.
  template <class Token>
  auto async_receive(Token &&token) {
    return detail::initiate<std::vector<pg_notice>>(
        [this](detail::operation_ptr<std::vector<pg_notice>> op) { start_receive(std::move(op)); }, executor(), token);
  }

 private:
  template <class Token>
  auto async_change(bool listen, std::string channel, call c, Token &token) {
    return detail::initiate<void>(
        [this, listen, channel = std::move(channel), c](detail::operation_ptr<void> op) mutable {
          start_change(listen, std::move(channel), c, std::move(op));
        },
        executor(), token);
  }
  detail::io_executor executor() const;
  void start_change(bool listen, std::string channel, call c, detail::operation_ptr<void> op);
  void start_receive(detail::operation_ptr<std::vector<pg_notice>> op);
  void leave() noexcept;
  std::shared_ptr<detail::pg_pool_core> core_;  // a handle on the core, as the pool's
  std::shared_ptr<detail::pg_mailbox> mailbox_;
};

}  // namespace corbel
