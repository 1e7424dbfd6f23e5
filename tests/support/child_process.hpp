#pragma once
/// A program started by a test, which dies with the test's process however that ends.
///
/// Threads: any, one at a time. Only fork and exec run in the child, so a process with threads may start one.

#include <chrono>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace corbel::test {

class child_process {
 public:
  child_process() noexcept = default;
  /// Starts arguments[0], found in PATH, with standard output and standard error appended to the file `log`. Variables are
  /// "NAME=value", added to the environment. Throws std::runtime_error when it cannot be executed.
  child_process(const std::vector<std::string> &arguments, const std::string &log,
                const std::vector<std::string> &variables = {});
  ~child_process();  ///< kills it when it still runs
  child_process(child_process &&) noexcept;
  child_process &operator=(child_process &&) noexcept;

  pid_t pid() const noexcept { return pid_; }  ///< 0 once it has ended and was waited for
  bool running();
  void signal(int number) const;
  /// SIGTERM, then waits; after the deadline SIGKILL. Returns the exit status as of wait_for.
  int stop(std::chrono::milliseconds deadline = std::chrono::seconds(10));
  int kill();    ///< SIGKILL, then waits
  void pause();  ///< SIGSTOP; returns when it is stopped
  void resume() const;
  /// The exit status, or minus the signal that ended it; nothing when it still runs at the deadline.
  std::optional<int> wait_for(std::chrono::milliseconds deadline);

 private:
  int collect(int status) noexcept;
  pid_t pid_ = 0;
  int status_ = 0;
};

/// Runs a program to its end; throws std::runtime_error with its output when it exits with anything but 0.
void run_program(const std::vector<std::string> &arguments);

}  // namespace corbel::test
