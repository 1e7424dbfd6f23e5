#include "support/gate_link.hpp"

#include <algorithm>
#include <utility>

namespace corbel::test {

namespace asio = boost::asio;
using steady = std::chrono::steady_clock;

gate_link::gate_link(tcp::socket client, gate_settings &settings)
    : client_(std::move(client)),
      server_(client_.get_executor()),
      up_(client_, server_, false),
      down_(server_, client_, true),
      settings_(settings) {}

void gate_link::start(std::uint16_t target) {
  asio::co_spawn(client_.get_executor(), run(shared_from_this(), target), asio::detached);
}

asio::awaitable<void> gate_link::run(std::shared_ptr<gate_link> self, std::uint16_t target) {
  boost::system::error_code ec;
  co_await self->server_.async_connect({asio::ip::address_v4::loopback(), target},
                                       asio::redirect_error(asio::use_awaitable, ec));
  if (ec) {
    self->close();
    co_return;
  }
  for (auto *s : {&self->client_, &self->server_}) s->set_option(tcp::no_delay(true), ec);
  for (auto *d : {&self->up_, &self->down_}) {
    asio::co_spawn(self->client_.get_executor(), read(self, *d), asio::detached);
    asio::co_spawn(self->client_.get_executor(), write(self, *d), asio::detached);
  }
}

asio::awaitable<void> gate_link::read(std::shared_ptr<gate_link> self, direction &d) {
  auto &settings = self->settings_;
  std::string buffer(1 << 16, '\0');
  boost::system::error_code ec;
  for (;;) {
    auto n = co_await d.from.async_read_some(asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, ec));
    if (ec) break;
    std::string bytes(buffer, 0, n);
    if (d.to_client && settings.replacement) bytes = *std::exchange(settings.replacement, std::nullopt);
    if (d.to_client && !settings.reset_when.empty() && bytes.find(settings.reset_when) != std::string::npos) {
      self->reset();
      co_return;
    }
    const auto end = d.to_client && !settings.end_at.empty() ? bytes.find(settings.end_at) : std::string::npos;
    if (end != std::string::npos) bytes.replace(end, std::string::npos, std::exchange(settings.last_words, {}));
    d.held.push_back({steady::now() + (d.to_client ? settings.delay : std::chrono::milliseconds(0)), std::move(bytes)});
    if (end != std::string::npos) {
      settings.end_at.clear();
      break;
    }
    d.changed.cancel();
  }
  d.ended = true;
  d.changed.cancel();
}

asio::awaitable<void> gate_link::write(std::shared_ptr<gate_link> self, direction &d) {
  boost::system::error_code ec;
  while (self->is_open()) {
    if (self->settings_.hole || (d.held.empty() && !d.ended)) {
      d.changed.expires_at(steady::time_point::max());
    } else if (d.held.empty()) {
      d.to.shutdown(tcp::socket::shutdown_send, ec);
      if (self->is_done()) self->close();
      co_return;
    } else if (d.held.front().due <= steady::now()) {
      auto bytes = std::move(d.held.front().bytes);
      d.held.pop_front();
      if (!co_await self->send(d, std::move(bytes))) co_return;
      continue;
    } else {
      d.changed.expires_at(d.held.front().due);
    }
    co_await d.changed.async_wait(asio::redirect_error(asio::use_awaitable, ec));
  }
}

asio::awaitable<bool> gate_link::send(direction &d, std::string bytes) {
  boost::system::error_code ec;
  for (std::size_t at = 0; at < bytes.size();) {
    auto n = std::min(bytes.size() - at, settings_.slice ? settings_.slice : bytes.size());
    bool last = d.to_client && settings_.reset_after && n >= *settings_.reset_after;
    if (last) n = *std::exchange(settings_.reset_after, std::nullopt);
    if (d.to_client && settings_.reset_after) *settings_.reset_after -= n;
    co_await asio::async_write(d.to, asio::buffer(bytes.data() + at, n), asio::redirect_error(asio::use_awaitable, ec));
    if (last)
      reset();
    else if (ec)
      close();
    if (last || ec) co_return false;
    at += n;
  }
  co_return true;
}

void gate_link::wake() {
  up_.changed.cancel();
  down_.changed.cancel();
}

void gate_link::half_close() {
  boost::system::error_code ignored;
  client_.shutdown(tcp::socket::shutdown_send, ignored);
}

void gate_link::reset() {
  boost::system::error_code ignored;
  for (auto *s : {&client_, &server_}) s->set_option(asio::socket_base::linger(true, 0), ignored);
  close();
}

void gate_link::close() {
  boost::system::error_code ignored;
  client_.close(ignored);
  server_.close(ignored);
  wake();
}

}  // namespace corbel::test
