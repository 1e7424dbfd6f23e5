#include "http/request_reader.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>

namespace corbel::detail {

namespace asio = boost::asio;
namespace http = boost::beast::http;

namespace {

constexpr auto as_value = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kept_buffer = std::size_t{16} << 10;  // of a connection that waits for its next request

/// No encoding of the body but chunked: somebody before us may have read another one, and another request.
bool is_framed_plainly(const http::request_parser<http::string_body> &parser) {
  auto &message = parser.get();
  const auto given = message.count(http::field::transfer_encoding);
  return given == 0 || (given == 1 && parser.chunked() && message.version() >= 11 &&
                        boost::beast::iequals(message[http::field::transfer_encoding], "chunked"));
}

http_request plain(http::request<http::string_body> &from) {
  http_request to{
      .method = from.method_string(), .path = {}, .query = {}, .fields = {}, .body = std::move(from.body()), .peer = {}};
  to.fields.reserve(8);
  for (auto &f : from) to.fields.emplace_back(f.name_string(), f.value());
  return to;
}

}  // namespace

http_request_reader::http_request_reader(http_connection &socket, http_deadline &deadline, const http_limits &limits)
    : socket_(socket), deadline_(deadline), limits_(limits) {}

http_request_reader::outcome http_request_reader::refuse(const boost::system::error_code &ec, const char *what) const {
  auto with = [](http_response r) { return outcome{.refusal = std::move(r)}; };
  if (ec == asio::error::operation_aborted && deadline_.expired())
    return with(http_refusal(408, "request_timeout", fmt::format("the {} of the request did not come in time", what)));
  if (ec == http::error::header_limit || ec == http::error::buffer_overflow)
    return with(http_refusal(431, "header_too_large",
                             fmt::format("the header is over the limit of {} bytes", limits_.header_bytes)));
  if (ec == http::error::body_limit)
    return with(
        http_refusal(413, "message_size_limit", fmt::format("the body is over the limit of {} bytes", limits_.body_bytes)));
  if (ec == http::error::partial_message)
    return with(http_refusal(400, "bad_request", fmt::format("the connection was closed before the {} was complete", what)));
  if (ec.category() == http::make_error_code(http::error::bad_method).category() && ec != http::error::end_of_stream)
    return with(http_refusal(400, "bad_request", fmt::format("the {} is not HTTP/1.1: {}", what, ec.message())));
  return {};
}

asio::awaitable<http_request_reader::outcome> http_request_reader::read() {
  if (buffer_.size() == 0) {
    if (buffer_.capacity() > kept_buffer) buffer_.shrink_to_fit();
    between_ = true;
    deadline_.set(first_ ? limits_.header : limits_.idle);
    auto [ec, n] = co_await socket_.async_read_some(buffer_.prepare(4096), as_value);
    between_ = false;
    if (ec) co_return outcome{};
    buffer_.commit(n);
  }
  first_ = false;

  http::request_parser<http::string_body> parser;
  parser.header_limit(static_cast<std::uint32_t>(limits_.header_bytes));
  parser.body_limit(limits_.body_bytes);
  // Most requests come whole: what is there already is parsed without waiting for more.
  boost::system::error_code failed;
  parser.eager(true);
  buffer_.consume(parser.put(buffer_.data(), failed));
  if (failed && failed != http::error::need_more) co_return refuse(failed, parser.is_header_done() ? "body" : "header");
  if (!parser.is_header_done()) {
    deadline_.set(limits_.header);
    auto [header_failed, header_bytes] = co_await http::async_read_header(socket_, buffer_, parser, as_value);
    if (header_failed) co_return refuse(header_failed, "header");
  }

  if (!is_framed_plainly(parser)) {
    outcome unclear{.version = parser.get().version()};
    unclear.refusal = http_refusal(
        400, "bad_request", "Transfer-Encoding is not 'chunked', once, in HTTP/1.1: where the body ends is not clear");
    co_return unclear;
  }
  if (!parser.is_done()) deadline_.set(limits_.body);
  if (!parser.is_done() && boost::beast::iequals(parser.get()[http::field::expect], "100-continue")) {
    constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    auto [ec, n] = co_await asio::async_write(socket_, asio::buffer(go_on), as_value);
    if (ec) co_return outcome{};
  }
  if (!parser.is_done()) {
    buffer_.reserve(kept_buffer);
    auto [body_failed, body_bytes] = co_await http::async_read(socket_, buffer_, parser, as_value);
    if (body_failed) co_return refuse(body_failed, "body");
  }

  auto &message = parser.get();
  outcome done{.version = message.version(), .keep_alive = message.keep_alive()};
  if (message.version() >= 11 && message.count(http::field::host) != 1) {
    done.refusal = http_refusal(400, "bad_request", "the request needs exactly one Host field");
    co_return done;
  }
  auto request = plain(message);
  const std::string_view target(message.target().data(), message.target().size());
  if (auto bad = request.set_target(target); !bad) {
    done.refusal = http_refusal(400, "bad_request", bad.error().message());
    co_return done;
  }
  done.request = std::move(request);
  co_return done;
}

}  // namespace corbel::detail
