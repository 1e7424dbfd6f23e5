#pragma once
/// Subscriptions: channels and patterns wanted by name, on one connection of the pool, kept over reconnects.
///
///     corbel::redis_subscription sub(redis);
///     co_await sub.async_subscribe("news", asio::use_awaitable);      // completes when the server has confirmed
///     for (;;) {
///       auto batch = co_await sub.async_receive(asio::use_awaitable); // result<std::vector<redis_notice>>, never empty
///       ...
///     }
///
/// Threads: any. One receive at a time. A slow reader loses the oldest notices and is told how many. A name may be wanted
/// by many subscriptions; the server is asked once. Destroying a subscription leaves all its names.

#include <corbel/redis_pool.hpp>

#include <functional>
#include <string>
#include <vector>

namespace corbel {

struct redis_notice {
  enum class kind : std::int32_t {
    message,       ///< published on a channel or a pattern
    gap,           ///< the connection was lost: what is published from now on is missed
    resubscribed,  ///< the server confirmed every wanted name again
  };
  kind type = kind::message;
  std::uint64_t epoch = 0;    ///< reconnect epoch; a change between two messages is a gap
  std::uint64_t dropped = 0;  ///< messages of this subscription lost just before this one because the reader was slow
  redis_reply reply;          ///< message: the array that the server sent

  std::string_view channel() const noexcept { return is_pattern() ? reply.root()[2].text() : reply.root()[1].text(); }
  std::string_view pattern() const noexcept { return is_pattern() ? reply.root()[1].text() : std::string_view(); }
  std::string_view payload() const noexcept { return is_pattern() ? reply.root()[3].text() : reply.root()[2].text(); }
  bool is_pattern() const noexcept { return reply.root().size() == 4; }
};

namespace detail {
class redis_mailbox;  // notices of one subscription, waiting for its reader
}

class redis_subscription {
 public:
  /// max_notices: kept for a slow reader.
  explicit redis_subscription(const redis_pool &pool, std::size_t max_notices = 4096);
  ~redis_subscription();
  redis_subscription(redis_subscription &&) noexcept;
  redis_subscription &operator=(redis_subscription &&) noexcept;

  enum class change { subscribe, psubscribe, unsubscribe, punsubscribe };

  /// Wants or leaves a name. Signature: void(result<bool>): true when the server was asked and confirmed, false when it
  /// did not have to be. A subscribe that fails leaves the name unwanted by this call.
  template <class Token>
  auto async_change(change what, std::string name, call c, Token &&token) {
    return detail::initiate<bool>(
        [this, what, name = std::move(name), c](detail::operation_ptr<bool> op) mutable {
          start_change(what, std::move(name), c, std::move(op));
        },
        executor(), token);
  }
  template <class Token>
  auto async_subscribe(std::string channel, Token &&token) {
    return async_change(change::subscribe, std::move(channel), call{}, std::forward<Token>(token));
  }
  template <class Token>
  auto async_psubscribe(std::string pattern, Token &&token) {
    return async_change(change::psubscribe, std::move(pattern), call{}, std::forward<Token>(token));
  }
  template <class Token>
  auto async_unsubscribe(std::string channel, Token &&token) {
    return async_change(change::unsubscribe, std::move(channel), call{}, std::forward<Token>(token));
  }
  template <class Token>
  auto async_punsubscribe(std::string pattern, Token &&token) {
    return async_change(change::punsubscribe, std::move(pattern), call{}, std::forward<Token>(token));
  }

  /// The notices that are there, at least one, oldest first; waits without limit. Signature:
  /// void(result<std::vector<redis_notice>>). Ends with status::closed when the pool closes.
  template <class Token>
  auto async_receive(Token &&token) {
    return detail::initiate<std::vector<redis_notice>>(
        [this](detail::operation_ptr<std::vector<redis_notice>> op) { start_receive(std::move(op)); }, executor(), token);
  }

 private:
  detail::io_executor executor() const;
  void start_change(change what, std::string name, call c, detail::operation_ptr<bool> op);
  void start_receive(detail::operation_ptr<std::vector<redis_notice>> op);
  redis_pool pool_;
  std::shared_ptr<detail::redis_mailbox> mailbox_;
};

}  // namespace corbel
