#pragma once
/// src/http owns an HTTP/1.1 server: limits, keep-alive, event streams, graceful stop; it knows no route of its own.
/// Callers: src/operations and hosts, which give it routes. Everything runs on the executor it was given, which must be
/// run by one thread at a time; no member may be called elsewhere. Handlers are coroutines there and must not block.
///
///     corbel::http_router routes;
///     routes.add("GET", "/health", {.handler = health, .while_draining = true});
///     corbel::http_server server(ctx.get_executor(), std::move(routes));
///     auto port = server.listen("0.0.0.0", 8010);
///     ...
///     server.drain();                                            // 503 elsewhere, streams told
///     auto cut = co_await server.stop(std::chrono::seconds(10)); // requests under way are completed

#include "http/router.hpp"
#include "http/stats.hpp"

#include <corbel/http_limits.hpp>
#include <corbel/log.hpp>
#include <corbel/result.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ssl/context.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace corbel {

namespace detail {
struct http_core;
class http_listener;
}  // namespace detail

class http_server {
 public:
  http_server(boost::asio::any_io_executor executor, http_router routes, http_limits limits = {}, log_function log = {});
  /// Closes everything at once.
  ~http_server();
  http_server(const http_server &) = delete;
  http_server &operator=(const http_server &) = delete;

  /// Accepts connections on an IP address; may be called for several. port 0: any free one. The port that was opened.
  /// share_port: other processes of the same user may open it too, and the kernel spreads connections (SO_REUSEPORT).
  result<std::uint16_t> listen(const std::string &address, std::uint16_t port, bool share_port = false);

  /// Connections accepted from now on speak TLS with this certificate.
  void use_tls(std::shared_ptr<boost::asio::ssl::context> tls);
  /// Takes the place of a route of the same method and path.
  void add_route(std::string method, std::string path, http_route route);

  /// tell runs on the executor: with true when the limit of connections has turned one away, with false when a tenth of it
  /// is free again.
  void on_full(std::function<void(bool)> tell);
  /// tell runs on the executor, with how long each request took that is no probe.
  void on_answer(std::function<void(std::chrono::nanoseconds)> tell);
  const http_limits &limits() const noexcept;

  /// Answers go on, but keep no connection alive; event streams end after their farewell.
  void turn_away();
  /// Still accepts, but answers 503 on every route that is not marked while_draining, keeps no connection alive, and ends
  /// the event streams after their farewell.
  void drain();
  bool draining() const noexcept;

  /// Closes everything at once.
  void close();

  /// Stops to accept, closes idle connections, completes the requests under way; what is left after the time-out is cut.
  /// How many were cut.
  boost::asio::awaitable<std::size_t> stop(std::chrono::milliseconds timeout);

  const http_stats &stats() const noexcept;
  /// When a request last came that was no probe; the clock's epoch when none did.
  std::chrono::steady_clock::time_point last_work() const noexcept;
  /// Requests that are being answered, event streams among them.
  std::size_t under_way() const noexcept;

 private:
  std::shared_ptr<detail::http_core> core_;
  std::vector<std::shared_ptr<detail::http_listener>> listeners_;
};

}  // namespace corbel
