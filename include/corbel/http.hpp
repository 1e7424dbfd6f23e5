#pragma once
/// An HTTP server in the host's process: /livez, /readyz, /health and /metrics from the first moment on, and the host's own
/// routes. It is off unless one is made.
///
///     corbel::http_service http(rt, {.address = "0.0.0.0", .port = 8080});
///     http.route("GET", "/hello", [](const corbel::http_request &r) -> boost::asio::awaitable<corbel::http_response> {
///       co_return corbel::http_response{.body = R"({"hello": "world"})"};
///     });
///
/// Handlers are coroutines on the runtime's I/O thread and must not block; what takes long awaits. The server's limits are
/// those of http_limits: nothing that a client does holds memory or a connection without a bound.
/// Threads: any, all members.

#include <corbel/call.hpp>
#include <corbel/http_limits.hpp>
#include <corbel/http_request.hpp>
#include <corbel/http_response.hpp>
#include <corbel/runtime.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace corbel {

namespace detail {
class http_service_core;
}

/// Runs on the server's executor. The request lives until the coroutine ends. An exception is answered 500 and logged.
using http_handler = std::function<boost::asio::awaitable<http_response>(const http_request &)>;

struct http_options {
  std::string address = "127.0.0.1";  ///< an IP address; 0.0.0.0 or :: for all
  std::uint16_t port = 0;             ///< 0: any free one, see port()
  bool share_port = false;            ///< other processes of the same user may open it too (SO_REUSEPORT)
  std::string tls_cert = {};          ///< path of a PEM file with certificate and chain; empty: no TLS
  std::string tls_key = {};           ///< path of its key
  http_limits limits = {};
};

class http_service {
 public:
  /// Listens. Throws failure where the port is taken, the address or the certificate wrong, or the runtime shut down.
  http_service(runtime &rt, http_options options = {});
  /// Closes every connection at once.
  ~http_service();
  http_service(http_service &&) noexcept;
  http_service &operator=(http_service &&) noexcept;

  std::uint16_t port() const noexcept;

  /// Answers requests of that method and path; a path that ends in "/*" holds for all below it. An error of status::invalid
  /// when the route is taken or the path does not begin with '/'.
  result<void> route(const std::string &method, const std::string &path, http_handler handler);

  /// Accepts no more, completes the requests under way, and cuts what is left after the time-out (10 s by default); how many
  /// were cut. The runtime's shutdown does the same. Signature: void(result<std::size_t>).
  template <class Token>
  auto async_stop(const call &c, Token &&token) {
    return detail::initiate<std::size_t>([this, c](detail::operation_ptr<std::size_t> op) { start_stop(c, std::move(op)); },
                                         executor(), token);
  }

  const std::shared_ptr<detail::http_service_core> &core() const noexcept { return core_; }

 private:
  void start_stop(const call &c, detail::operation_ptr<std::size_t> op);
  detail::io_executor executor() const;
  std::shared_ptr<detail::http_service_core> core_;
};

}  // namespace corbel
