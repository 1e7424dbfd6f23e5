#pragma once
/// Owns: one program of somebody else's that works for this process, and its three streams. Callers: the bundle runner.
/// Thread: the loop's, where the handlers run.
///
/// What it writes comes line by line, within a limit; standard error apart, its long lines cut. It has a process group of
/// its own, no descriptor but the three, and only the environment that it is given. `ended` comes exactly once, when all
/// that it wrote was handed over and it was waited for. A loop that is destroyed under it ends it.

#include "io/loop.hpp"

#include <corbel/result.hpp>

#include <boost/asio/posix/stream_descriptor.hpp>

#include <functional>
#include <memory>
#include <string>
#include <sys/types.h>
#include <vector>

namespace corbel::detail {

class piped_child : public std::enable_shared_from_this<piped_child> {
 public:
  struct handlers {
    std::function<void(std::string_view line)> line;
    std::function<void(std::string_view line)> error_line;
    /// A line passes most_line: so much of it is there. Nothing more of it is read.
    std::function<void(std::size_t bytes)> too_long;
    /// status: of the exit, minus the signal's number, or -1000 when somebody else took it. rest: of a line without an end.
    std::function<void(int status, std::string_view rest)> ended;
  };
  struct settings {
    std::vector<std::string> arguments = {};    ///< the first is the path
    std::vector<std::string> environment = {};  ///< all of it, "NAME=value"
    std::size_t most_line = std::size_t{1} << 20;
  };
  static constexpr std::size_t most_error_line = 4096;

  /// Errors are unavailable with the system's code.
  static result<std::shared_ptr<piped_child>> start(const std::shared_ptr<loop> &where, settings s, handlers h);
  struct ends;
  piped_child(const std::shared_ptr<loop> &where, pid_t pid, ends &&mine, std::size_t most_line, handlers h);
  ~piped_child();

  /// Queues a line, without its end.
  void send(std::string_view line);
  /// The end of its input, after what is queued.
  void close_input();
  /// SIGTERM: the program is to end at once, with all that it has started.
  void end() noexcept;
  pid_t pid() const noexcept { return pid_; }

 private:
  using descriptor = boost::asio::posix::stream_descriptor;
  struct output {
    explicit output(loop &l) : pipe(l.context()) {}
    descriptor pipe;
    std::string text = {};
    bool open = true;
  };
  void run();
  void read_ready(output &from);
  void read_some(output &from, std::size_t most);
  void cut_lines();
  void cut_error_lines(bool all);
  void write_some();
  void exited();

  const std::shared_ptr<loop> loop_;
  const pid_t pid_;
  const std::size_t most_line_;
  descriptor process_, in_;
  output out_, err_;
  handlers handlers_;
  std::string queued_;
  bool writing_ = false, no_more_ = false, reaped_ = false;
};

}  // namespace corbel::detail
