#pragma once
/// What responses look like on the wire. Those that write are false when the connection failed. Threads: the server's
/// executor.

#include "http/connection.hpp"

#include <corbel/http_response.hpp>

#include <boost/asio/awaitable.hpp>

namespace corbel::detail {

/// A whole response, header and body in one piece. head: the header only, as for a HEAD request.
std::string http_text(const http_response &response, unsigned version, bool keep, bool head);

/// Header of an event stream: chunked in HTTP/1.1, ended by the connection's end in HTTP/1.0.
boost::asio::awaitable<bool> http_write_stream_header(http_connection &socket, const http_response &response,
                                                      unsigned version);
/// A piece of an event stream; an empty one ends it.
boost::asio::awaitable<bool> http_write_chunk(http_connection &socket, const std::string &text, unsigned version);

}  // namespace corbel::detail
