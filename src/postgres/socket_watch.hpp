#pragma once
/// Owns: waiting for libpq's socket to become readable or writable. The descriptor stays libpq's and is never closed here.
/// Callers: the dialer and the connection. Thread: the loop's.

#include <boost/asio/posix/stream_descriptor.hpp>

namespace corbel::detail {

class socket_watch {
 public:
  explicit socket_watch(boost::asio::io_context &context) : descriptor_(context) {}
  ~socket_watch() { release(); }
  socket_watch(const socket_watch &) = delete;
  socket_watch &operator=(const socket_watch &) = delete;

  /// False when it is no descriptor that can be waited for.
  bool watch(int fd) {
    release();
    boost::system::error_code ec;
    if (fd < 0) return false;
    descriptor_.assign(fd, ec);
    return !ec;
  }
  /// Waits end with operation_aborted. Before libpq may close its socket.
  void release() noexcept {
    if (!descriptor_.is_open()) return;
    descriptor_.release();
  }
  template <class Handler>
  void async_readable(Handler &&h) {
    descriptor_.async_wait(descriptor_.wait_read, std::forward<Handler>(h));
  }
  template <class Handler>
  void async_writable(Handler &&h) {
    descriptor_.async_wait(descriptor_.wait_write, std::forward<Handler>(h));
  }

 private:
  boost::asio::posix::stream_descriptor descriptor_;
};

}  // namespace corbel::detail
