#pragma once
/// One connection: reads requests, answers them one after another, ends. Threads: the server's executor.

#include "http/connection.hpp"
#include "http/core.hpp"
#include "http/deadline.hpp"
#include "http/event_stream.hpp"
#include "http/request_reader.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <memory>
#include <optional>

namespace corbel::detail {

class http_session : public std::enable_shared_from_this<http_session> {
 public:
  http_session(std::shared_ptr<http_core> core, boost::asio::ip::tcp::socket socket);
  ~http_session();

  /// Runs until the connection has ended. refused: says so and closes.
  boost::asio::awaitable<void> run(bool refused);
  /// The server drains: an event stream is told.
  void drain();
  /// No further request: closes a connection on which none has begun.
  void stop();
  bool busy() const noexcept { return !reader_.between_requests(); }
  /// Closes now.
  void cut();

 private:
  boost::asio::awaitable<http_response> answer(const http_request &request);
  /// The same, counted.
  boost::asio::awaitable<http_response> count(const http_request &request);
  /// The client has closed its side, or the connection was reset.
  bool has_left();
  /// False when the connection cannot go on.
  boost::asio::awaitable<bool> write(const http_response &response, unsigned version, bool keep, bool head);
  boost::asio::awaitable<void> write_stream(const http_response &response, unsigned version);
  /// Ends the stream when the client goes away.
  boost::asio::awaitable<void> watch(std::shared_ptr<event_stream> stream);
  /// The end of TLS, or of what may be sent.
  boost::asio::awaitable<void> say_goodbye();
  /// Lets a client that still sends read its answer: closing over unread bytes would reset the connection.
  boost::asio::awaitable<void> linger();

  std::shared_ptr<http_core> core_;
  http_connection connection_;
  std::string peer_;
  http_deadline deadline_;
  http_request_reader reader_;
  std::shared_ptr<event_stream> stream_;
  std::chrono::steady_clock::time_point work_began_{};  // of a request that is no probe
};

}  // namespace corbel::detail
