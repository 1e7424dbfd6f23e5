#pragma once
/// A plain TCP client for tests of HTTP: sends any bytes, reads what comes. Every wait ends after 10 s by an exception.

#include <arpa/inet.h>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <netinet/in.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/time.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace corbel::test {

struct wire_response {
  int status = 0;
  std::string head, body;
};

class http_wire {
 public:
  explicit http_wire(std::uint16_t port, int receive_buffer = 0) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (receive_buffer) ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    timeval limit{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd_, reinterpret_cast<sockaddr *>(&to), sizeof to) != 0) {
      auto why = errno;
      ::close(fd_);
      throw std::system_error(why, std::generic_category(), "connect");
    }
  }
  ~http_wire() { close(); }
  http_wire(http_wire &&o) noexcept : fd_(std::exchange(o.fd_, -1)), buffer_(std::move(o.buffer_)) {}
  http_wire(const http_wire &) = delete;
  http_wire &operator=(const http_wire &) = delete;

  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  void end_of_input() { ::shutdown(fd_, SHUT_WR); }

  /// False when the other side does not take it any more.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) throw std::runtime_error("nothing was taken for 10 s");
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }
  bool get(const std::string &target) { return send("GET " + target + " HTTP/1.1\r\nHost: test\r\n\r\n"); }
  bool post(const std::string &target, const std::string &body, const std::string &fields = {}) {
    return send("POST " + target + " HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n" + fields +
                "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  }

  /// The next response, with its body when it has a Content-Length.
  wire_response response(bool head_only = false) {
    wire_response r;
    r.head = until("\r\n\r\n");
    r.status = std::atoi(r.head.substr(9, 3).c_str());
    auto at = r.head.find("Content-Length: ");
    if (at != std::string::npos && !head_only) r.body = exactly(std::strtoul(r.head.c_str() + at + 16, nullptr, 10));
    return r;
  }
  /// Bytes up to and with the mark.
  std::string until(std::string_view mark) {
    for (;;) {
      if (auto at = buffer_.find(mark); at != std::string::npos) return take(at + mark.size());
      if (!more()) throw std::runtime_error("the connection ended; it had said: " + buffer_);
    }
  }
  std::string exactly(std::size_t n) {
    while (buffer_.size() < n) {
      if (!more()) throw std::runtime_error("the connection ended; it had said: " + buffer_);
    }
    return take(n);
  }
  /// All bytes until the other side closes.
  std::string rest() {
    while (more()) {
    }
    return take(buffer_.size());
  }

 private:
  bool more() {
    char piece[16384];
    auto n = ::recv(fd_, piece, sizeof piece, 0);
    if (n < 0 && errno == EINTR) return true;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
      throw std::runtime_error("nothing came for 10 s; there was: " + buffer_);
    if (n > 0) buffer_.append(piece, static_cast<std::size_t>(n));
    return n > 0;
  }
  std::string take(std::size_t n) {
    auto taken = buffer_.substr(0, n);
    buffer_.erase(0, n);
    return taken;
  }

  int fd_ = -1;
  std::string buffer_;
};

/// One request on a connection of its own.
inline wire_response http_get(std::uint16_t port, const std::string &target) {
  http_wire w(port);
  w.get(target);
  return w.response();
}
inline wire_response http_post(std::uint16_t port, const std::string &target, const std::string &body,
                               const std::string &fields = {}) {
  http_wire w(port);
  w.post(target, body, fields);
  return w.response();
}

}  // namespace corbel::test
