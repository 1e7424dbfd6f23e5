// Lesson: one call opens an HTTP server with /livez, /readyz, /health and /metrics; a route of the host's own is a
// coroutine. Here the program asks itself, as a load balancer would.
//
//     build/dev/examples/lessons/lesson_cpp_serve_health
#include <corbel/health.hpp>
#include <corbel/http.hpp>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include <cstdio>
#include <string>

namespace asio = boost::asio;
using namespace std::chrono_literals;

/// Prints the status and the body of a GET.
static void get(std::uint16_t port, const std::string &path) {
  asio::io_context loop;
  asio::ip::tcp::socket s(loop);
  s.connect({asio::ip::address_v4::loopback(), port});
  asio::write(s, asio::buffer("GET " + path + " HTTP/1.1\r\nHost: lesson\r\nConnection: close\r\n\r\n"));
  std::string text;
  boost::system::error_code end;
  asio::read(s, asio::dynamic_buffer(text), end);
  std::printf("%s: %s %s\n", path.c_str(), text.substr(9, 3).c_str(), text.substr(text.find("\r\n\r\n") + 4).c_str());
}

int main() {
  std::puts("lesson: serve_health");
  corbel::runtime rt({.name = "serve_health"});
  corbel::http_service http(rt);  // a free port of 127.0.0.1
  http.route("GET", "/hello",
             [](const corbel::http_request &r) -> asio::awaitable<corbel::http_response> {
               co_return corbel::http_response{.body = "hello " + std::string(r.parameter("name")),
                                               .content_type = "text/plain"};
             })
      .value();
  get(http.port(), "/readyz");
  get(http.port(), "/readyz?verbose");
  get(http.port(), "/hello?name=lesson");
  corbel::set_draining(rt);  // from now on a load balancer sends nothing new
  get(http.port(), "/readyz");
  rt.shutdown(5s).value();  // completes the requests under way
}
