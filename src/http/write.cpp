#include "http/write.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http.hpp>

#include <ctime>

namespace corbel::detail {

namespace asio = boost::asio;
namespace http = boost::beast::http;

namespace {

constexpr auto as_value = asio::as_tuple(asio::use_awaitable);

std::string date_now() {
  static thread_local std::time_t made_for = 0;
  static thread_local char text[32];
  if (auto now = std::time(nullptr); now != made_for) {
    made_for = now;
    std::tm utc{};
    gmtime_r(&now, &utc);
    std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &utc);
  }
  return text;
}

template <class Body>
http::response<Body> begin(const http_response &from, unsigned version, bool keep) {
  http::response<Body> to(static_cast<http::status>(from.status), version);
  to.set(http::field::date, date_now());
  to.set(http::field::content_type, from.content_type);
  for (auto &[name, value] : from.fields) to.set(name, value);
  to.keep_alive(keep);
  return to;
}

}  // namespace

asio::awaitable<bool> http_write(http_connection &socket, const http_response &response, unsigned version, bool keep,
                                 bool head) {
  auto message = begin<http::string_body>(response, version, keep);
  message.body() = response.body;
  message.prepare_payload();
  http::response_serializer<http::string_body> serializer(message);
  if (head) {
    auto [ec, n] = co_await http::async_write_header(socket, serializer, as_value);
    co_return !ec;
  }
  auto [ec, n] = co_await http::async_write(socket, serializer, as_value);
  co_return !ec;
}

asio::awaitable<bool> http_write_stream_header(http_connection &socket, const http_response &response, unsigned version) {
  auto message = begin<http::empty_body>(response, version, false);
  if (version >= 11) message.chunked(true);
  http::response_serializer<http::empty_body> serializer(message);
  auto [ec, n] = co_await http::async_write_header(socket, serializer, as_value);
  co_return !ec;
}

asio::awaitable<bool> http_write_chunk(http_connection &socket, const std::string &text, unsigned version) {
  if (version < 11) {
    auto [ec, n] = co_await asio::async_write(socket, asio::buffer(text), as_value);
    co_return !ec;
  }
  if (text.empty()) {
    auto [ec, n] = co_await asio::async_write(socket, http::make_chunk_last(), as_value);
    co_return !ec;
  }
  auto [ec, n] = co_await asio::async_write(socket, http::make_chunk(asio::buffer(text)), as_value);
  co_return !ec;
}

}  // namespace corbel::detail
