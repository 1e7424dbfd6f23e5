#include "operations/otlp_client.hpp"

#include "io/resolve.hpp"
#include "runtime/runtime_core.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <fmt/format.h>

namespace corbel {

namespace asio = boost::asio;
namespace beast = boost::beast;

namespace {

constexpr auto as_value = asio::as_tuple(asio::use_awaitable);

std::unique_ptr<asio::ssl::context> make_tls(const std::string &ca) {
  auto tls = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_client);
  boost::system::error_code ec;
  tls->set_options(asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1, ec);
  tls->set_verify_mode(asio::ssl::verify_peer, ec);
  if (ca.empty())
    tls->set_default_verify_paths(ec);
  else
    tls->load_verify_file(ca, ec);
  if (ec)
    throw failure(error(
        status::invalid,
        fmt::format("cannot read the collector's authorities in '{}': {}; give a PEM file", ca, ec.message()), "otlp"));
  return tls;
}

}  // namespace

otlp_client::otlp_client(const runtime &rt, const std::string &endpoint, const std::string &ca) : rt_(rt) {
  auto parsed = boost::urls::parse_uri(endpoint);
  const bool https = parsed && parsed->scheme() == "https";
  if (!parsed || (parsed->scheme() != "http" && !https) || parsed->host().empty())
    throw failure(error(status::invalid,
                        fmt::format("'{}' is no endpoint of OTLP: give http://host:port or https://host:port", endpoint),
                        "otlp"));
  host_ = parsed->host_address();
  if (parsed->port_number() != 0) port_ = parsed->port_number();
  path_ = parsed->encoded_path();
  while (path_.ends_with('/')) path_.pop_back();
  if (!path_.ends_with("/v1/metrics")) path_ += "/v1/metrics";
  if (https) tls_ = make_tls(ca);
}

template <class Stream>
asio::awaitable<unsigned> otlp_client::exchange(Stream &stream, const std::string &body, std::string &why) {
  beast::http::request<beast::http::string_body> request(beast::http::verb::post, path_, 11, body);
  request.set(beast::http::field::host, host_);
  request.set(beast::http::field::content_type, "application/json");
  request.set(beast::http::field::connection, "close");
  request.prepare_payload();
  auto [not_written, written] = co_await beast::http::async_write(stream, request, as_value);
  beast::flat_buffer buffer;
  beast::http::response_parser<beast::http::string_body> parser;
  parser.body_limit(1 << 20);
  auto [not_read, read] = co_await beast::http::async_read(stream, buffer, parser, as_value);
  if (not_read) {
    why = (not_written ? not_written : not_read).message();
    co_return 0;
  }
  why = std::string(parser.get().reason());
  co_return parser.get().result_int();
}

asio::awaitable<unsigned> otlp_client::post(const std::string &body, std::chrono::milliseconds timeout, std::string &why) {
  const auto end = std::chrono::steady_clock::now() + timeout;
  asio::steady_timer resolved(rt_.executor(), end);
  auto found =
      std::make_shared<result<detail::resolution::addresses>>(error(status::timeout, "the host was not found in time"));
  auto resolution = detail::resolution::start(rt_.core()->first_loop(), host_, port_, [&resolved, found](auto r) {
    *found = std::move(r);
    resolved.expires_at(std::chrono::steady_clock::time_point::min());
  });
  co_await resolved.async_wait(as_value);
  resolution.reset();
  if (!*found) {
    why = found->error().message();
    co_return 0;
  }
  beast::tcp_stream stream(rt_.executor());
  stream.expires_at(end);
  auto [not_connected, endpoint] = co_await stream.async_connect(**found, as_value);
  if (not_connected) {
    why = not_connected.message();
    co_return 0;
  }
  if (!tls_) co_return co_await exchange(stream, body, why);
  beast::ssl_stream<beast::tcp_stream &> secure(stream, *tls_);
  boost::system::error_code is_name;
  asio::ip::make_address(host_, is_name);
  if (is_name) ::SSL_ctrl(secure.native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, host_.data());
  secure.set_verify_callback(asio::ssl::host_name_verification(host_));
  auto [not_trusted] = co_await secure.async_handshake(asio::ssl::stream_base::client, as_value);
  if (not_trusted) {
    why = "TLS: " + not_trusted.message();
    co_return 0;
  }
  co_return co_await exchange(secure, body, why);
}

}  // namespace corbel
