#pragma once
/// Asynchronous calls as a test makes them: started, then waited for with a bound, so that a completion that never comes
/// fails the test instead of hanging it.

#include <corbel/redis_pool.hpp>
#include <corbel/redis_subscription.hpp>

#include <boost/asio/use_future.hpp>

#include <chrono>
#include <future>
#include <stdexcept>
#include <string>

namespace corbel::test {

using namespace std::chrono_literals;

inline constexpr std::chrono::seconds patience{30};

/// The result, or std::runtime_error when it has not come after the limit.
template <class T>
result<T> come(std::future<result<T>> f, std::chrono::milliseconds limit = patience) {
  if (f.wait_for(limit) != std::future_status::ready) throw std::runtime_error("a call has not completed");
  return f.get();
}

inline result<redis_reply> ask(redis_pool &pool, redis_command command, call c = {}) {
  return come(pool.async_send(std::move(command), c, boost::asio::use_future));
}
inline result<redis_reply> ask(redis_lease &lease, redis_command command, call c = {}) {
  return come(lease.async_send(std::move(command), c, boost::asio::use_future));
}
inline result<redis_lease> take(redis_pool &pool, call c = {}) { return come(pool.async_lease(c, boost::asio::use_future)); }

inline result<bool> change(redis_subscription &sub, redis_subscription::change what, const std::string &name, call c = {}) {
  return come(sub.async_change(what, name, c, boost::asio::use_future));
}
inline result<bool> subscribe(redis_subscription &sub, const std::string &channel, call c = {}) {
  return change(sub, redis_subscription::change::subscribe, channel, c);
}
inline result<bool> unsubscribe(redis_subscription &sub, const std::string &channel, call c = {}) {
  return change(sub, redis_subscription::change::unsubscribe, channel, c);
}

/// Text of a string or status, decimal text of an integer; "status: message" of an error, so that a failed comparison tells.
inline std::string text(const result<redis_reply> &r) {
  if (!r) return std::string(status_name(r.error().code())) + ": " + r.error().message();
  const auto &root = r->root();
  return root.type() == redis_node::kind::integer ? std::to_string(root.integer()) : std::string(root.text());
}

/// "status native: message", or "ok".
inline std::string said(const error &e) {
  return e ? std::string(status_name(e.code())) + " " + e.native() + ": " + e.message() : "ok";
}

}  // namespace corbel::test
