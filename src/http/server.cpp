#include "http/server.hpp"

#include "http/core.hpp"
#include "http/listener.hpp"
#include "http/session.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

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

http_server::~http_server() { close(); }

void http_server::close() {
  core_->stopping = true;
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

void http_server::use_tls(std::shared_ptr<asio::ssl::context> tls) { core_->tls = std::move(tls); }

void http_server::add_route(std::string method, std::string path, http_route route) {
  core_->router.add(std::move(method), std::move(path), std::move(route));
}

void http_server::on_full(std::function<void(bool)> tell) { core_->tell_full = std::move(tell); }
void http_server::on_answer(std::function<void(std::chrono::nanoseconds)> tell) { core_->tell_took = std::move(tell); }

const http_limits &http_server::limits() const noexcept { return core_->limits; }

void http_server::turn_away() {
  if (std::exchange(core_->turning_away, true)) return;
  each(*core_, &detail::http_session::drain);
}

std::chrono::steady_clock::time_point http_server::last_work() const noexcept { return core_->last_work; }

std::size_t http_server::under_way() const noexcept {
  return static_cast<std::size_t>(
      std::count_if(core_->sessions.begin(), core_->sessions.end(), [](auto *s) { return s->busy(); }));
}

void http_server::drain() {
  turn_away();
  core_->draining = true;
}

bool http_server::draining() const noexcept { return core_->draining; }
const http_stats &http_server::stats() const noexcept { return core_->stats; }

asio::awaitable<std::size_t> http_server::stop(std::chrono::milliseconds timeout) {
  turn_away();
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
