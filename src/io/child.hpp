#pragma once
/// Owns: one program that works for this process: its socket, its end. Callers: whoever must not block and cannot interrupt
/// what blocks. Thread: the loop's, where the handlers run.
///
/// The child's standard input and output are one socket; what it writes comes line by line, descriptors that it sends apart,
/// in order. It has a process group of its own, which kill() ends with everything in it. It inherits no descriptor but its
/// socket and standard error, and only the environment that it is given. `ended` comes exactly once, when all that it wrote
/// was handed over and nothing is left of it, not even a zombie.

#include "io/loop.hpp"

#include <corbel/result.hpp>

#include <boost/asio/posix/stream_descriptor.hpp>

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <sys/types.h>
#include <vector>

namespace corbel::detail {

/// One open file; closed by the destructor.
class owned_descriptor {
 public:
  owned_descriptor() noexcept = default;
  explicit owned_descriptor(int fd) noexcept : fd_(fd) {}
  ~owned_descriptor();
  owned_descriptor(owned_descriptor &&o) noexcept : fd_(std::exchange(o.fd_, -1)) {}
  owned_descriptor &operator=(owned_descriptor &&o) noexcept {
    std::swap(fd_, o.fd_);
    return *this;
  }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  int get() const noexcept { return fd_; }
  int release() noexcept { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

class child : public std::enable_shared_from_this<child> {
 public:
  struct handlers {
    std::function<void(std::string_view line)> line;
    /// status: of the exit, minus the signal's number, or -1000 when somebody else took it.
    std::function<void(int status)> ended;
  };
  static constexpr std::size_t most_line = std::size_t{16} << 20;  ///< a longer one is a fault, and the child is killed

  /// arguments[0] is the path. environment: all of it, "NAME=value". Errors are unavailable with the system's code.
  static result<std::shared_ptr<child>> start(const std::shared_ptr<loop> &where, std::vector<std::string> arguments,
                                              std::vector<std::string> environment, handlers h);
  child(const std::shared_ptr<loop> &where, pid_t pid, owned_descriptor process, owned_descriptor socket, handlers h);
  ~child();

  /// Others get what comes from now on. Not from within a handler.
  void hand_over(handlers h) { handlers_ = std::move(h); }
  /// Queues a line, without its end.
  void send(std::string_view line);
  /// SIGKILL to its whole group; `ended` follows.
  void kill() noexcept;
  pid_t pid() const noexcept { return pid_; }
  /// The next descriptor that came; empty when none did.
  owned_descriptor take_descriptor();

 private:
  void run();
  void read_ready();
  /// False at the end of what it writes.
  bool read_some();
  void cut_lines();
  void write_some();
  void exited();
  void finish();

  const std::shared_ptr<loop> loop_;
  const pid_t pid_;
  boost::asio::posix::stream_descriptor process_, socket_;
  handlers handlers_;
  std::string in_, out_;
  std::deque<owned_descriptor> descriptors_;
  bool writing_ = false, reaped_ = false, closed_ = false;
  int status_ = 0;
};

}  // namespace corbel::detail
