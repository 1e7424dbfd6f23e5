#pragma once
/// Worker processes of one host: the same program, started again by exec before it has opened anything, each with pools of
/// its own, all with one instance id and, where they listen, one port (SO_REUSEPORT).
///
/// The supervisor is the process that was started. It starts a dead worker again (see restart_plan), passes SIGTERM and
/// SIGINT on, and ends when all workers have ended after that, with the worst of their statuses (128 + n for signal n). A
/// worker that ends with status 2 was configured wrongly, which no restart mends: then all end. Workers end with their
/// supervisor, however that dies. Thread: the main thread, before any other exists.

#include <corbel/log.hpp>

#include <chrono>
#include <string>

namespace corbel {

struct supervisor_options {
  unsigned workers = 2;
  std::string name;      ///< of the host, in log lines
  std::string instance;  ///< the workers' INSTANCE_ID
  log_level level = log_level::info;
  std::chrono::milliseconds drain_timeout{30'000};  ///< a worker that runs this and 10 s longer after SIGTERM is killed
};

/// True in a process that a supervisor started.
bool is_worker() noexcept;

/// What SIGTERM to the host would do: the supervisor's, where there is one, for it would start a drained worker again. Once.
void drain_host() noexcept;

/// Runs the workers; returns the exit status for main. argv: as main got it.
int supervise(const supervisor_options &options, char *const *argv);

}  // namespace corbel
