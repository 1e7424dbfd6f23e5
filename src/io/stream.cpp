#include "io/stream.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>

namespace corbel::detail {

namespace asio = boost::asio;

void stream::prepare_tls(asio::ssl::context &context, const std::string &name) {
  tls_ = std::make_unique<tls_stream>(socket_, context);
  boost::system::error_code is_name;
  asio::ip::make_address(name, is_name);
  if (is_name)
    ::SSL_ctrl(tls_->native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
               const_cast<char *>(name.c_str()));
  tls_->set_verify_mode(asio::ssl::verify_peer);
  tls_->set_verify_callback(asio::ssl::host_name_verification(name));
}

void stream::tune() {
  boost::system::error_code ignored;
  socket_.non_blocking(true, ignored);
  const auto local = socket_.local_endpoint(ignored);
  if (!ignored && (local.protocol().family() == AF_INET || local.protocol().family() == AF_INET6)) {
    socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
    socket_.set_option(asio::socket_base::keep_alive(true), ignored);
  }
}

void stream::close() noexcept {
  boost::system::error_code ignored;
  socket_.close(ignored);
}

}  // namespace corbel::detail
