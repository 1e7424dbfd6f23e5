#pragma once
/// Reads the requests of one connection, one after another, within the limits. Threads: the server's executor.

#include "http/connection.hpp"
#include "http/deadline.hpp"

#include <corbel/http_limits.hpp>
#include <corbel/http_request.hpp>
#include <corbel/http_response.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include <optional>

namespace corbel::detail {

class http_request_reader {
 public:
  http_request_reader(http_connection &socket, http_deadline &deadline, const http_limits &limits);

  struct outcome {
    std::optional<http_request> request = {};
    std::optional<http_response> refusal = {};  ///< what is wrong; the connection cannot go on
    unsigned version = 11;
    bool keep_alive = false;
  };
  /// Neither a request nor a refusal: the connection is over.
  boost::asio::awaitable<outcome> read();

  /// True while no byte of a request has come.
  bool between_requests() const noexcept { return between_; }

 private:
  outcome refuse(const boost::system::error_code &ec, const char *what) const;

  http_connection &socket_;
  http_deadline &deadline_;
  const http_limits &limits_;
  boost::beast::flat_buffer buffer_;
  bool between_ = true, first_ = true;
};

}  // namespace corbel::detail
