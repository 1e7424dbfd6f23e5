#include "support/raw_server.hpp"

#include "support/free_port.hpp"

#include <boost/asio.hpp>

#include <atomic>
#include <mutex>
#include <thread>

namespace corbel::test {

namespace asio = boost::asio;
using asio::ip::tcp;

struct raw_server::impl {
  explicit impl(std::string a)
      : answer(std::move(a)),
        acceptor(context, {asio::ip::address_v4::loopback(), free_port()}),
        port(acceptor.local_endpoint().port()) {
    asio::co_spawn(context, accept(), asio::detached);
    thread = std::thread([this] { context.run(); });
  }
  ~impl() {
    context.stop();
    thread.join();
  }

  asio::awaitable<void> accept() {
    for (;;) {
      auto s = co_await acceptor.async_accept(asio::use_awaitable);
      ++accepted;
      asio::co_spawn(context, serve(std::move(s)), asio::detached);
    }
  }
  asio::awaitable<void> serve(tcp::socket s) {
    std::string buffer(1 << 16, '\0');
    boost::system::error_code ec;
    for (bool first = true;; first = false) {
      auto n = co_await s.async_read_some(asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, ec));
      if (ec) co_return;
      {
        std::lock_guard lock(mutex);
        received.append(buffer, 0, n);
      }
      if (first) co_await asio::async_write(s, asio::buffer(answer), asio::redirect_error(asio::use_awaitable, ec));
    }
  }

  const std::string answer;
  asio::io_context context{1};
  tcp::acceptor acceptor;
  const std::uint16_t port;
  std::atomic<std::size_t> accepted = 0;
  mutable std::mutex mutex;
  std::string received;
  std::thread thread;
};

raw_server::raw_server(std::string answer) : impl_(std::make_unique<impl>(std::move(answer))) {}
raw_server::~raw_server() = default;
std::uint16_t raw_server::port() const noexcept { return impl_->port; }
std::size_t raw_server::accepted() const noexcept { return impl_->accepted; }
std::string raw_server::received() const {
  std::lock_guard lock(impl_->mutex);
  return impl_->received;
}

}  // namespace corbel::test
