/// The library's own server: probes, routes below a path, TLS, stop and shutdown; and what the runtime says of its threads.

#include "live/http_wire.hpp"
#include "support/certificates.hpp"
#include "support/until.hpp"

#include <corbel/health.hpp>
#include <corbel/http.hpp>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/asio/write.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <thread>

using namespace corbel;
using namespace corbel::test;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

http_handler says(std::string text) {
  return [text](const http_request &r) -> asio::awaitable<http_response> {
    co_return http_response{.body = text + " " + r.path};
  };
}

/// The whole answer to one request over TLS; empty when the handshake failed.
std::string over_tls(std::uint16_t port, const std::string &ca, const std::string &request) {
  asio::io_context loop;
  asio::ssl::context tls(asio::ssl::context::tls_client);
  tls.load_verify_file(ca);
  tls.set_verify_mode(asio::ssl::verify_peer);
  asio::ssl::stream<asio::ip::tcp::socket> s(loop, tls);
  s.next_layer().connect({asio::ip::address_v4::loopback(), port});
  boost::system::error_code ec;
  if (s.handshake(asio::ssl::stream_base::client, ec)) return {};
  asio::write(s, asio::buffer(request), ec);
  std::string text;
  asio::read(s, asio::dynamic_buffer(text), ec);
  CHECK(ec == asio::error::eof);  // TLS was ended, not cut
  return text;
}

}  // namespace

TEST_CASE("routes: exact before what is below a path, the nearest of those, each once") {
  runtime rt({.level = log_level::off});
  http_service http(rt);
  CHECK(http.route("GET", "/a/*", says("below a")));
  CHECK(http.route("GET", "/a/b/*", says("below b")));
  CHECK(http.route("GET", "/a/b/c", says("c")));
  CHECK_FALSE(http.route("GET", "/a/b/c", says("again")));
  CHECK_FALSE(http.route("GET", "no", says("path")));
  CHECK(http_get(http.port(), "/a/b/c").body == "c /a/b/c");
  CHECK(http_get(http.port(), "/a/b/d/e").body == "below b /a/b/d/e");
  CHECK(http_get(http.port(), "/a/x").body == "below a /a/x");
  CHECK(http_get(http.port(), "/a").status == 404);
  CHECK(http_post(http.port(), "/a/x", "").status == 405);
  CHECK(http_get(http.port(), "/metrics").body.find("corbel_http_requests_total") != std::string::npos);
  CHECK_THROWS_AS(http_service(rt, {.port = http.port()}), failure);
  CHECK_THROWS_AS(http_service(rt, {.address = "nowhere"}), failure);
}

TEST_CASE("with a certificate it speaks TLS and nothing else") {
  runtime rt({.level = log_level::off});
  temp_dir dir;
  const auto made = make_certificates(dir);
  http_service http(rt, {.tls_cert = made.cert, .tls_key = made.key});
  CHECK(http.route("POST", "/big", [](const http_request &r) -> asio::awaitable<http_response> {
    co_return http_response{.body = r.body + r.body};
  }));
  const auto answer = over_tls(http.port(), made.ca, "GET /livez HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n");
  CHECK(answer.starts_with("HTTP/1.1 200"));
  CHECK(answer.ends_with("\r\n\r\nok"));
  const std::string body(300'000, 'x');
  const auto big =
      over_tls(http.port(), made.ca,
               "POST /big HTTP/1.1\r\nHost: t\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) +
                   "\r\n\r\n" + body);
  CHECK(big.size() > 600'000);
  http_wire plain(http.port());
  plain.get("/livez");
  CHECK(plain.rest().find("HTTP/") == std::string::npos);
  CHECK_THROWS_AS(http_service(rt, {.tls_cert = made.cert}), failure);
  CHECK_THROWS_AS(http_service(rt, {.tls_cert = made.cert, .tls_key = made.ca}), failure);
}

TEST_CASE("stop completes what is under way; so does the runtime's shutdown; freeing cuts") {
  for (int how = 0; how < 3; ++how) {
    runtime rt({.level = log_level::off});
    std::optional<http_service> http(std::in_place, rt);
    std::atomic<bool> begun{false};
    CHECK(http->route("GET", "/slow", [&begun](const http_request &) -> asio::awaitable<http_response> {
      begun = true;
      asio::steady_timer timer(co_await asio::this_coro::executor, 300ms);
      co_await timer.async_wait(asio::use_awaitable);
      co_return http_response{.body = "slow"};
    }));
    http_wire wire(http->port());
    wire.get("/slow");
    REQUIRE(until(10s, [&] { return begun.load(); }));
    if (how == 0) CHECK(http->async_stop({}, asio::use_future).get().value() == 0);
    if (how == 1) CHECK(rt.shutdown(10s));
    if (how == 2) http.reset();
    if (how == 2)
      CHECK(wire.rest().empty());
    else
      CHECK(wire.response().body == "slow");
    if (how != 1) CHECK(rt.shutdown(10s));
  }
}

TEST_CASE("a held I/O thread is seen: degraded while it is remembered") {
  runtime rt({.level = log_level::off});
  watch_lag(rt);
  auto state = [&] { return health(rt).parts.at(0); };
  CHECK(state().part == "runtime");
  CHECK((state().required && state().vital));
  CHECK(health(rt).ready);
  asio::post(rt.executor(), [] { std::this_thread::sleep_for(1200ms); });  // what must not be done
  CHECK(until(10s, [&] { return state().state == health_state::degraded; }));
  CHECK(state().reason.find("I/O thread 0 was held") != std::string::npos);
  CHECK(health(rt).alive);
  CHECK(rt.metrics_text().find("corbel_runtime_lag_seconds_count") != std::string::npos);
  CHECK(rt.shutdown(10s));
}

TEST_CASE("what time alone changes is told too") {
  runtime rt({.level = log_level::off});
  std::mutex mutex;
  std::vector<health_change> told;
  on_health_change(rt, [&](const health_change &c) {
    std::lock_guard lock(mutex);
    told.push_back(c);
  });
  set_health(rt, {.part = "mail", .state = health_state::ok, .required = true, .fresh_for = 50ms});
  CHECK(until(10s, [&] {
    std::lock_guard lock(mutex);
    return std::ranges::any_of(told, [](auto &c) { return c.part == "mail" && c.state == health_state::stale; }) &&
           !told.back().ready;
  }));
  CHECK(rt.shutdown(10s));
}
