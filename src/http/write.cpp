#include "http/write.hpp"

#include "http/field_check.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <iterator>

namespace corbel::detail {

namespace asio = boost::asio;
namespace http = boost::beast::http;

namespace {

constexpr auto as_value = asio::as_tuple(asio::use_awaitable);

std::string_view date_now() {
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

bool is_given(const http_response &r, std::string_view name) {
  return std::ranges::any_of(r.fields, [&](auto &f) { return boost::beast::iequals(f.first, name); });
}

/// Whether the server itself says this.
bool is_ours(std::string_view name) {
  using boost::beast::iequals;
  return iequals(name, "Date") || iequals(name, "Connection") || iequals(name, "Content-Length") ||
         iequals(name, "Transfer-Encoding");
}

/// Up to the line that says how the body ends, and the empty line.
std::string header_text(const http_response &r, unsigned version, bool keep) {
  const auto reason = http::obsolete_reason(static_cast<http::status>(r.status));
  std::string out;
  out.reserve(256 + r.body.size());
  auto line = [&out](std::string_view name, std::string_view value) {
    (out += name) += ": ";
    for (const char c : value) out += is_line_break(c) ? ' ' : c;
    out += "\r\n";
  };
  fmt::format_to(std::back_inserter(out), "HTTP/{}.{} {} {}\r\n", version / 10, version % 10, r.status,
                 std::string_view(reason.data(), reason.size()));
  line("Date", date_now());
  if (!is_given(r, "Content-Type")) line("Content-Type", r.content_type);
  for (auto &[name, value] : r.fields)
    if (!is_ours(name) && is_field_name(name)) line(name, value);
  if (keep != (version >= 11)) line("Connection", keep ? "keep-alive" : "close");
  return out;
}

}  // namespace

std::string http_text(const http_response &r, unsigned version, bool keep, bool head) {
  auto out = header_text(r, version, keep);
  const bool has_no_body = r.status == 204 || r.status == 304;
  if (!has_no_body) fmt::format_to(std::back_inserter(out), "Content-Length: {}\r\n", r.body.size());
  out += "\r\n";
  if (!head && !has_no_body) out += r.body;
  return out;
}

asio::awaitable<bool> http_write_stream_header(http_connection &socket, const http_response &response, unsigned version) {
  auto text = header_text(response, version, false);
  text += version >= 11 ? "Transfer-Encoding: chunked\r\n\r\n" : "\r\n";
  auto [ec, n] = co_await asio::async_write(socket, asio::buffer(text), as_value);
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
