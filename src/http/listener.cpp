#include "http/listener.hpp"

#include "http/session.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

namespace corbel::detail {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

namespace {
constexpr auto as_value = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t refusals_at_once = 64;  // connections over the limit that are still told so
}  // namespace

http_listener::http_listener(std::shared_ptr<http_core> core) : core_(std::move(core)), acceptor_(core_->executor) {}

result<std::uint16_t> http_listener::open(const std::string &address, std::uint16_t port, bool share_port) {
  boost::system::error_code ec;
  auto failed = [&](const char *what) {
    return error(status::unavailable, fmt::format("cannot {} {} port {}: {}", what, address, port, ec.message()), "os");
  };
  auto ip = asio::ip::make_address(address, ec);
  if (ec) return error(status::invalid, fmt::format("'{}' is not an IP address to listen on", address), "http");
  tcp::endpoint endpoint(ip, port);
  if (acceptor_.open(endpoint.protocol(), ec)) return failed("open a socket for");
  if (acceptor_.set_option(tcp::acceptor::reuse_address(true), ec)) return failed("set options of");
  using reuse_port = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;
  if (share_port && acceptor_.set_option(reuse_port(true), ec)) return failed("share");
  if (acceptor_.bind(endpoint, ec)) return failed("bind to");
  if (acceptor_.listen(asio::socket_base::max_listen_connections, ec)) return failed("listen on");
  auto bound = acceptor_.local_endpoint(ec).port();
  if (ec) return failed("listen on");
  asio::co_spawn(core_->executor, accept(), asio::detached);
  return bound;
}

void http_listener::close() {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
}

asio::awaitable<void> http_listener::accept() {
  auto self = shared_from_this();
  asio::steady_timer pause(core_->executor);
  while (acceptor_.is_open()) {
    auto [ec, socket] = co_await acceptor_.async_accept(as_value);
    if (ec == asio::error::operation_aborted || !acceptor_.is_open()) break;
    if (ec) {
      if (ec == asio::error::connection_aborted) continue;
      // Out of descriptors or memory: accepting again at once would spin.
      core_->log(log_level::warning, fmt::format("cannot accept a connection: {}; trying again in 100 ms", ec.message()));
      pause.expires_after(std::chrono::milliseconds(100));
      co_await pause.async_wait(as_value);
      continue;
    }
    ++core_->stats.accepted;
    bool refused = core_->sessions.size() >= core_->limits.connections;
    if (refused) ++core_->stats.refused, core_->set_full(true);
    if (refused && core_->sessions.size() >= core_->limits.connections + refusals_at_once) continue;
    boost::system::error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    auto session = std::make_shared<http_session>(core_, std::move(socket));
    asio::co_spawn(core_->executor, session->run(refused), asio::detached);
  }
}

}  // namespace corbel::detail
