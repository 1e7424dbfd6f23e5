#include "http/session.hpp"

#include "http/write.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <sys/socket.h>

namespace corbel::detail {

namespace asio = boost::asio;

namespace {
constexpr auto as_value = asio::as_tuple(asio::use_awaitable);
}

http_session::http_session(std::shared_ptr<http_core> core, asio::ip::tcp::socket socket)
    : core_(std::move(core)),
      connection_(std::move(socket), core_->tls.get()),
      deadline_(core_->executor,
                [this](bool first) {
                  if (first) ++core_->stats.timed_out;
                  boost::system::error_code ignored;
                  connection_.socket().cancel(ignored);
                }),
      reader_(connection_, deadline_, core_->limits) {
  boost::system::error_code ec;
  if (const auto remote = connection_.socket().remote_endpoint(ec); !ec) peer_ = remote.address().to_string();
  core_->sessions.insert(this);
  ++core_->stats.connections;
}

http_session::~http_session() {
  core_->sessions.erase(this);
  --core_->stats.connections;
  core_->changed.cancel();
  if (core_->full && 10 * core_->sessions.size() < 9 * core_->limits.connections) core_->set_full(false);
}

void http_session::drain() {
  if (stream_) stream_->drain();
}

void http_session::stop() {
  boost::system::error_code ec;
  if (reader_.between_requests() && connection_.socket().available(ec) == 0) cut();
}

void http_session::cut() {
  boost::system::error_code ignored;
  connection_.socket().close(ignored);
}

asio::awaitable<void> http_session::run(bool refused) {
  auto self = shared_from_this();
  if (connection_.is_tls()) {
    deadline_.set(core_->limits.header);
    auto [ec] = co_await connection_.async_handshake(as_value);
    if (ec) {
      ++core_->stats.malformed;
      co_return;
    }
  }
  if (refused) {
    co_await write(http_refusal(503, "too_many_connections", "this server has as many connections as it may"), 11, false,
                   false);
    co_await linger();
    co_return;
  }
  for (bool more = true; more;) {
    auto got = co_await reader_.read();
    if (got.refusal) {
      ++core_->stats.malformed;
      if (co_await write(*got.refusal, got.version, false, false)) co_await linger();
      break;
    }
    if (!got.request) break;
    deadline_.clear();
    ++core_->stats.requests;
    got.request->peer = peer_;
    auto response = co_await count(*got.request);
    bool head = got.request->method == "HEAD";
    if (response.stream && !head) {
      co_await write_stream(response, got.version);
      break;
    }
    if (response.stream) response.stream->end();
    more = got.keep_alive && !core_->turning_away && !core_->stopping;
    more = co_await write(response, got.version, more, head) && more;
  }
  co_await say_goodbye();
  boost::system::error_code ignored;
  connection_.socket().shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
}

asio::awaitable<void> http_session::say_goodbye() {
  if (connection_.is_tls() && connection_.socket().is_open()) {
    deadline_.set(core_->limits.linger);
    co_await connection_.async_close_tls(as_value);
  }
  boost::system::error_code ignored;
  connection_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
}

bool http_session::has_left() {
  char next;
  const auto n = ::recv(connection_.socket().native_handle(), &next, 1, MSG_PEEK | MSG_DONTWAIT);
  return n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

asio::awaitable<http_response> http_session::count(const http_request &request) {
  work_began_ = {};
  auto response = co_await answer(request);
  auto &stats = core_->stats;
  if (work_began_ != std::chrono::steady_clock::time_point()) {
    const auto took = std::chrono::steady_clock::now() - work_began_;
    stats.took->record(took);
    if (core_->tell_took) core_->tell_took(took);
    // Who only half-closes is answered all the same. Of an answer that was there at once nobody has given up.
    if (took > std::chrono::milliseconds(1) && has_left()) {
      ++stats.gone;
      co_return response;
    }
  }
  ++stats.answered[std::clamp(response.status / 100, 2u, 5u) - 2];
  co_return response;
}

asio::awaitable<http_response> http_session::answer(const http_request &request) {
  auto found = core_->router.find(request.method, request.path);
  if (!found.route && found.allow.empty()) co_return http_refusal(404, "not_found", "there is nothing at this path");
  if (!found.route) {
    auto refusal = http_refusal(405, "method_not_allowed", fmt::format("this path answers {}", found.allow));
    refusal.fields.emplace_back("Allow", found.allow);
    co_return refusal;
  }
  if (!found.route->probe) core_->last_work = work_began_ = std::chrono::steady_clock::now();
  if (core_->draining && !found.route->while_draining) {
    http_response gone{.status = 503, .body = R"({"detail": "Service is draining", "status": "draining"})"};
    gone.fields.emplace_back("Retry-After", "1");
    co_return gone;
  }
  std::string what = "an unknown exception";
  try {
    co_return co_await found.route->handler(request);
  } catch (const std::exception &e) {
    what = e.what();
  } catch (...) {
  }
  ++core_->stats.failed;
  core_->log(log_level::error, "a handler failed: " + what, {{"method", request.method}, {"path", request.path}});
  co_return http_refusal(500, "internal_error", "the request could not be answered; the log of this server says why");
}

asio::awaitable<bool> http_session::write(const http_response &response, unsigned version, bool keep, bool head) {
  const auto text = http_text(response, version, keep, head);
  boost::system::error_code failed;
  const auto done = connection_.write_now(asio::buffer(text), failed);
  if (failed || done == text.size()) co_return !failed;
  deadline_.set(core_->limits.write);
  auto [ec, rest] = co_await asio::async_write(connection_, asio::buffer(text) + done, as_value);
  deadline_.clear();
  co_return !ec;
}

asio::awaitable<void> http_session::write_stream(const http_response &response, unsigned version) {
  auto stream = stream_ = response.stream;
  ++core_->stats.streams;
  if (core_->turning_away) stream->drain();
  asio::co_spawn(core_->executor, watch(stream), asio::detached);
  deadline_.set(core_->limits.write);
  bool going = co_await http_write_stream_header(connection_, response, version);
  while (going) {
    deadline_.clear();
    auto text = co_await stream->next();
    deadline_.set(core_->limits.write);
    going = co_await http_write_chunk(connection_, text, version) && !text.empty();
  }
  stream_.reset();
  stream->end();
  --core_->stats.streams;
  core_->stats.frames_dropped += stream->dropped();
}

asio::awaitable<void> http_session::watch(std::shared_ptr<event_stream> stream) {
  auto self = shared_from_this();
  std::array<char, 512> unwanted;
  for (std::size_t total = 0; total < core_->limits.body_bytes;) {
    auto [ec, n] = co_await connection_.async_read_some(asio::buffer(unwanted), as_value);
    if (ec) break;
    total += n;
  }
  stream->end();
  boost::system::error_code ignored;
  connection_.socket().cancel(ignored);
}

asio::awaitable<void> http_session::linger() {
  boost::system::error_code ec;
  co_await say_goodbye();
  deadline_.set(core_->limits.linger);
  std::array<char, 4096> unwanted;
  while (!ec) {
    auto [failed, n] = co_await connection_.async_read_some(asio::buffer(unwanted), as_value);
    ec = failed;
    if (deadline_.expired()) break;
  }
}

}  // namespace corbel::detail
