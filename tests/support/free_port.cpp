#include "support/free_port.hpp"

#include <boost/asio.hpp>

namespace corbel::test {
std::uint16_t free_port() {
  boost::asio::io_context context;
  boost::asio::ip::tcp::acceptor acceptor(context, {boost::asio::ip::address_v4::loopback(), 0});
  return acceptor.local_endpoint().port();
}
}  // namespace corbel::test
