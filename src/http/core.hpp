#pragma once
/// What the listener and all sessions of one server share. Threads: the server's executor.

#include "http/router.hpp"
#include "http/stats.hpp"

#include <corbel/http_limits.hpp>
#include <corbel/log.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <unordered_set>
#include <utility>

namespace corbel::detail {

class http_session;

struct http_core {
  http_core(boost::asio::any_io_executor e, http_router r, http_limits l, log_function log)
      : executor(std::move(e)), router(std::move(r)), limits(l), write_log(std::move(log)), changed(executor) {}

  void log(log_level level, std::string text, std::vector<log_field> fields = {}) const {
    if (write_log) write_log({.level = level, .part = "http", .text = std::move(text), .fields = std::move(fields)});
  }

  /// Told in a task of its own.
  void set_full(bool now) {
    if (std::exchange(full, now) == now || !tell_full || stopping) return;
    boost::asio::post(executor, [fn = tell_full, now] { fn(now); });
  }

  boost::asio::any_io_executor executor;
  http_router router;
  http_limits limits;
  log_function write_log;
  http_stats stats;
  std::shared_ptr<boost::asio::ssl::context> tls;     ///< nullptr: none
  std::chrono::steady_clock::time_point last_work{};  ///< when a request came that was no probe
  bool turning_away = false;                          ///< streams are told, connections are not kept
  bool draining = false;                              ///< most routes answer 503, streams are told, connections are not kept
  bool stopping = false;                              ///< no new connection, no further request
  bool full = false;                                  ///< a connection was refused, and few have ended since
  std::function<void(bool)> tell_full;
  std::function<void(std::chrono::nanoseconds)> tell_took;
  std::unordered_set<http_session *> sessions;
  boost::asio::steady_timer changed;  ///< cancelled when a session ends: who waits for that looks again
};

}  // namespace corbel::detail
