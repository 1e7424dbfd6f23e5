#pragma once
/// Owns: one connected byte stream: TCP, Unix socket, or TLS over TCP. Callers: connections. Thread: the loop's.

#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>

#include <memory>
#include <string>
#include <utility>

namespace corbel::detail {

class stream {
 public:
  using socket = boost::asio::generic::stream_protocol::socket;
  using tls_stream = boost::asio::ssl::stream<socket &>;

  explicit stream(boost::asio::io_context &context) : socket_(context) {}

  socket &lowest() noexcept { return socket_; }
  bool is_tls() const noexcept { return tls_ != nullptr; }

  /// Begins TLS as a client; the server's certificate must carry `name`. handler: void(error_code).
  template <class Handler>
  void async_tls_handshake(boost::asio::ssl::context &context, const std::string &name, Handler &&handler) {
    prepare_tls(context, name);
    tls_->async_handshake(boost::asio::ssl::stream_base::client, std::forward<Handler>(handler));
  }

  /// handler: void(error_code, size_t).
  template <class Handler>
  void async_read_some(boost::asio::mutable_buffer to, Handler &&handler) {
    if (tls_)
      tls_->async_read_some(to, std::forward<Handler>(handler));
    else
      socket_.async_read_some(to, std::forward<Handler>(handler));
  }
  template <class Handler>
  void async_write_some(boost::asio::const_buffer from, Handler &&handler) {
    if (tls_)
      tls_->async_write_some(from, std::forward<Handler>(handler));
    else
      socket_.async_write_some(from, std::forward<Handler>(handler));
  }
  /// Writes what the socket takes at once; would_block with 0 when it takes nothing, and always with TLS.
  std::size_t write_now(boost::asio::const_buffer from, boost::system::error_code &ec) {
    if (!tls_) return socket_.write_some(from, ec);
    ec = boost::asio::error::would_block;
    return 0;
  }

  /// TCP_NODELAY and keep-alive where they apply; non-blocking.
  void tune();
  /// Closes the descriptor at once; pending operations end with operation_aborted.
  void close() noexcept;

 private:
  void prepare_tls(boost::asio::ssl::context &context, const std::string &name);
  socket socket_;
  std::unique_ptr<tls_stream> tls_;
};

}  // namespace corbel::detail
