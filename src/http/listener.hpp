#pragma once
/// Accepts connections of one address and gives each a session. Threads: the server's executor.

#include "http/core.hpp"

#include <corbel/result.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <memory>
#include <string>

namespace corbel::detail {

class http_listener : public std::enable_shared_from_this<http_listener> {
 public:
  explicit http_listener(std::shared_ptr<http_core> core);

  /// Opens the address and begins to accept. port 0: any free one. The port that was opened.
  result<std::uint16_t> open(const std::string &address, std::uint16_t port, bool share_port);
  void close();

 private:
  boost::asio::awaitable<void> accept();

  std::shared_ptr<http_core> core_;
  boost::asio::ip::tcp::acceptor acceptor_;
};

}  // namespace corbel::detail
