#pragma once
/// Puts responses on the wire. Each function is false when the connection failed. Threads: the server's executor.

#include "http/response.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace corbel::detail {

/// head: the header only, as for a HEAD request.
boost::asio::awaitable<bool> http_write(boost::asio::ip::tcp::socket &socket, const http_response &response,
                                        unsigned version, bool keep, bool head);

/// Header of an event stream: chunked in HTTP/1.1, ended by the connection's end in HTTP/1.0.
boost::asio::awaitable<bool> http_write_stream_header(boost::asio::ip::tcp::socket &socket, const http_response &response,
                                                      unsigned version);
/// A piece of an event stream; an empty one ends it.
boost::asio::awaitable<bool> http_write_chunk(boost::asio::ip::tcp::socket &socket, const std::string &text,
                                              unsigned version);

}  // namespace corbel::detail
