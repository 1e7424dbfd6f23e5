#pragma once
/// Owns: one accepted connection, with or without TLS, as Beast's functions want it. Threads: the server's executor.

#include <boost/asio/async_result.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>

#include <memory>
#include <utility>

namespace corbel::detail {

class http_connection {
 public:
  using socket_type = boost::asio::ip::tcp::socket;
  using executor_type = socket_type::executor_type;
  using error_code = boost::system::error_code;

  /// tls: nullptr for none; else it must outlive the connection, and handshake comes first.
  http_connection(socket_type socket, boost::asio::ssl::context *tls) : socket_(std::move(socket)) {
    if (tls) tls_ = std::make_unique<boost::asio::ssl::stream<socket_type &>>(socket_, *tls);
  }

  executor_type get_executor() noexcept { return socket_.get_executor(); }
  socket_type &socket() noexcept { return socket_; }
  bool is_tls() const noexcept { return tls_ != nullptr; }

  template <class Token>
  auto async_handshake(Token &&token) {
    return tls_->async_handshake(boost::asio::ssl::stream_base::server, std::forward<Token>(token));
  }
  template <class Token>
  auto async_close_tls(Token &&token) {
    return tls_->async_shutdown(std::forward<Token>(token));
  }

  template <class Buffers, class Token>
  auto async_read_some(const Buffers &to, Token &&token) {
    return boost::asio::async_initiate<Token, void(error_code, std::size_t)>(
        [this](auto handler, const Buffers &b) {
          if (tls_)
            tls_->async_read_some(b, std::move(handler));
          else
            socket_.async_read_some(b, std::move(handler));
        },
        token, to);
  }
  template <class Buffers, class Token>
  auto async_write_some(const Buffers &from, Token &&token) {
    return boost::asio::async_initiate<Token, void(error_code, std::size_t)>(
        [this](auto handler, const Buffers &b) {
          if (tls_)
            tls_->async_write_some(b, std::move(handler));
          else
            socket_.async_write_some(b, std::move(handler));
        },
        token, from);
  }
  /// What the socket takes at once; 0 without a failure where it takes nothing, and with TLS.
  std::size_t write_now(const boost::asio::const_buffer &from, error_code &ec) {
    ec.clear();
    if (tls_) return 0;
    if (!socket_.non_blocking()) socket_.non_blocking(true, ec);
    const auto n = ec ? 0 : socket_.write_some(from, ec);
    if (ec == boost::asio::error::would_block || ec == boost::asio::error::try_again) ec.clear();
    return n;
  }

 private:
  socket_type socket_;
  std::unique_ptr<boost::asio::ssl::stream<socket_type &>> tls_;
};

}  // namespace corbel::detail
