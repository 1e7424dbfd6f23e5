#include "http/server.hpp"

#include "http/core.hpp"
#include "http/listener.hpp"
#include "http/session.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace corbel {

namespace asio = boost::asio;

namespace {

// Copies first: what is called may end a session.
void each(detail::http_core &core, void (detail::http_session::*call)()) {
  std::vector<std::shared_ptr<detail::http_session>> all;
  for (auto *s : core.sessions) all.push_back(s->shared_from_this());
  for (auto &s : all) (s.get()->*call)();
}

}  // namespace

http_server::http_server(asio::any_io_executor executor, http_router routes, http_limits limits, log_function log)
    : core_(std::make_shared<detail::http_core>(std::move(executor), std::move(routes), limits, std::move(log))) {}

http_server::~http_server() {
  for (auto &l : listeners_) l->close();
  each(*core_, &detail::http_session::drain);
  each(*core_, &detail::http_session::cut);
}

result<std::uint16_t> http_server::listen(const std::string &address, std::uint16_t port, bool share_port) {
  auto listener = std::make_shared<detail::http_listener>(core_);
  auto opened = listener->open(address, port, share_port);
  if (opened) listeners_.push_back(std::move(listener));
  return opened;
}

void http_server::drain() {
  if (std::exchange(core_->draining, true)) return;
  each(*core_, &detail::http_session::drain);
}

bool http_server::draining() const noexcept { return core_->draining; }
const http_stats &http_server::stats() const noexcept { return core_->stats; }

asio::awaitable<std::size_t> http_server::stop(std::chrono::milliseconds timeout) {
  drain();
  auto core = core_;
  core->stopping = true;
  for (auto &l : listeners_) l->close();
  each(*core, &detail::http_session::stop);
  auto deadline = std::chrono::steady_clock::now() + timeout;
  while (!core->sessions.empty() && std::chrono::steady_clock::now() < deadline) {
    core->changed.expires_at(deadline);
    co_await core->changed.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  auto left = core->sessions.size();
  each(*core, &detail::http_session::cut);
  co_return left;
}

}  // namespace corbel
