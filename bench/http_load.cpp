// Keep-alive connections that ask for one path over and over, each again when its answer is whole. The same for every
// server.
//
//     bench_http_load --port 8010 --path /health --connections 32 --seconds 1.5
//
// Also prints the middle and the 99th percentile of the answers' times. Any status but --status (200) ends the run.

#include "measure.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cstdint>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace {

struct connection {
  int fd = -1;
  std::string got;
  double asked = 0;
};

int connect_to(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd, reinterpret_cast<sockaddr *>(&to), sizeof to) != 0) throw std::runtime_error("cannot connect");
  return fd;
}

void ask(connection &c, const std::string &request) {
  c.asked = measure_now();
  if (::send(c.fd, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size()))
    throw std::runtime_error("a request was not taken");
}

// How long the body is, by the header's own word.
std::size_t body_size(std::string_view header) {
  constexpr std::string_view name = "\nContent-Length:";
  for (auto at = header.find('\n'); at != header.npos; at = header.find('\n', at + 1))
    if (header.size() - at > name.size() && ::strncasecmp(header.data() + at, name.data(), name.size()) == 0)
      return std::strtoul(header.data() + at + name.size(), nullptr, 10);
  throw std::runtime_error("an answer without Content-Length: " + std::string(header));
}

// True when the answer is whole, which is then taken away.
bool whole(connection &c, std::string_view status) {
  const auto end = c.got.find("\r\n\r\n");
  if (end == std::string::npos) return false;
  const auto header = std::string_view(c.got).substr(0, end + 2);
  if (header.size() < 12 || header.substr(9, 3) != status) throw std::runtime_error("unexpected: " + c.got);
  const auto size = end + 4 + body_size(header);
  if (c.got.size() < size) return false;
  if (c.got.size() > size) throw std::runtime_error("more than one answer");
  c.got.clear();
  return true;
}

double percentile(std::vector<float> &sorted, double p) {
  return sorted.empty() ? 0 : sorted[static_cast<std::size_t>(p * static_cast<double>(sorted.size() - 1))];
}

}  // namespace

int main(int argc, char **argv) try {
  const int port = static_cast<int>(measure_number(argc, argv, "port", 8010));
  const double seconds = measure_number(argc, argv, "seconds", 1.5);
  const std::string path = measure_option(argc, argv, "path", "/health");
  const std::string status = measure_option(argc, argv, "status", "200");
  const std::string request = "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n";
  std::vector<connection> all(static_cast<std::size_t>(measure_number(argc, argv, "connections", 32)));
  const int poll = ::epoll_create1(EPOLL_CLOEXEC);
  for (auto &c : all) {
    c.fd = connect_to(port);
    epoll_event e{.events = EPOLLIN, .data = {.ptr = &c}};
    ::epoll_ctl(poll, EPOLL_CTL_ADD, c.fd, &e);
    ask(c, request);
  }

  std::vector<float> took;
  took.reserve(1 << 20);
  std::vector<char> piece(1 << 18);
  auto m = measure_begin();
  for (bool warm = false;;) {
    epoll_event events[64];
    const int n = ::epoll_wait(poll, events, 64, 10'000);
    if (n <= 0) throw std::runtime_error("no answer for 10 s");
    for (int i = 0; i < n; ++i) {
      auto &c = *static_cast<connection *>(events[i].data.ptr);
      const auto size = ::recv(c.fd, piece.data(), piece.size(), 0);
      if (size <= 0) throw std::runtime_error("the server closed a connection");
      c.got.append(piece.data(), static_cast<std::size_t>(size));
      if (!whole(c, status)) continue;
      took.push_back(static_cast<float>(1e3 * (measure_now() - c.asked)));
      ask(c, request);
    }
    const double passed = measure_now() - m.wall;
    if (!warm && passed >= MEASURE_WARM_UP) {
      warm = true;
      took.clear();
      m = measure_begin();
    } else if (warm && passed >= seconds) {
      break;
    }
  }
  measure_end(&m);
  std::sort(took.begin(), took.end());
  const auto done = static_cast<double>(took.size());
  std::printf("{\"ops_per_s\": %.1f, \"cpu_us_per_op\": %.4f, \"ops\": %.0f, \"p50_ms\": %.4f, \"p99_ms\": %.4f}\n",
              done / m.wall, 1e6 * m.cpu / done, done, percentile(took, 0.5), percentile(took, 0.99));
  return 0;
} catch (const std::exception &e) {
  std::fprintf(stderr, "bench_http_load: %s\n", e.what());
  return 1;
}
