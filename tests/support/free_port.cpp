#include "support/free_port.hpp"

#include <boost/asio.hpp>

#include <fstream>
#include <random>

namespace corbel::test {

std::uint16_t free_port() {
  unsigned first_of_clients = 32768;
  std::ifstream("/proc/sys/net/ipv4/ip_local_port_range") >> first_of_clients;
  static thread_local std::mt19937 random{std::random_device{}()};
  unsigned low = first_of_clients > 12000 ? 10000 : 1024;
  std::uniform_int_distribution<unsigned> any(low, first_of_clients - 1);
  boost::asio::io_context context;
  for (;;) {
    auto port = static_cast<std::uint16_t>(any(random));
    boost::asio::ip::tcp::acceptor acceptor(context, boost::asio::ip::tcp::v4());
    boost::system::error_code taken;
    acceptor.bind({boost::asio::ip::address_v4::loopback(), port}, taken);
    if (!taken) acceptor.listen(1, taken);
    if (!taken) return port;
  }
}

}  // namespace corbel::test
