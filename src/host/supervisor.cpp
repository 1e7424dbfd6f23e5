#include "host/supervisor.hpp"

#include "base/log_json.hpp"
#include "base/restart_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace corbel {

namespace {

using clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr char worker_variable[] = "CORBEL_WORKER";
constexpr int wrongly_configured = 2;

struct worker {
  pid_t pid = 0;  // 0: not running
  detail::restart_plan plan;
  std::optional<clock::time_point> start_at;
};

class supervisor {
 public:
  supervisor(const supervisor_options &options, char *const *argv)
      : options_(options), argv_(argv), workers_(options.workers) {}

  int run() {
    ::setenv("INSTANCE_ID", options_.instance.c_str(), 1);
    sigset_t waited;
    sigemptyset(&waited);
    for (int s : {SIGTERM, SIGINT, SIGCHLD}) sigaddset(&waited, s);
    sigprocmask(SIG_BLOCK, &waited, &before_);
    for (auto &w : workers_) w.start_at = clock::now();
    for (;;) {
      start_due();
      if (ending_ && std::none_of(workers_.begin(), workers_.end(), [](auto &w) { return w.pid != 0; })) break;
      const auto wait = until_next();
      const timespec limit{wait.count() / 1000, wait.count() % 1000 * 1'000'000};
      const int signal = sigtimedwait(&waited, nullptr, &limit);
      if (signal == SIGTERM || signal == SIGINT) end_all(signal);
      collect();
      if (ending_ && clock::now() >= *kill_at_) kill_all(SIGKILL);
    }
    log(log_level::info, fmt::format("all workers have ended; the worst status is {}", worst_));
    return worst_;
  }

 private:
  void log(log_level level, std::string text) const {
    if (options_.level == log_level::off || level > options_.level) return;
    const auto line = detail::log_json({.level = level, .part = "supervisor", .text = std::move(text), .fields = {}},
                                       options_.name, options_.instance, ::getpid(), std::chrono::system_clock::now());
    std::puts(line.c_str());
    std::fflush(stdout);
  }

  void start_due() {
    for (std::size_t i = 0; i < workers_.size(); ++i) {
      auto &w = workers_[i];
      if (ending_ || w.pid != 0 || !w.start_at || *w.start_at > clock::now()) continue;
      w.start_at.reset();
      w.pid = start(i);
      w.plan.started(clock::now());
      if (w.pid < 0) {
        w.pid = 0;
        log(log_level::error, fmt::format("cannot start worker {}: {}; trying again", i + 1, std::strerror(errno)));
        w.start_at = clock::now() + w.plan.died(clock::now());
      }
    }
  }

  pid_t start(std::size_t index) const {
    const pid_t parent = ::getpid();
    const auto number = std::to_string(index + 1);
    const pid_t pid = ::fork();
    if (pid != 0) return pid;
    // A group of its own: a terminal's Ctrl-C reaches the supervisor alone, which passes it on once.
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) ::_exit(1);
    sigprocmask(SIG_SETMASK, &before_, nullptr);
    ::setenv(worker_variable, number.c_str(), 1);
    ::execv("/proc/self/exe", argv_);
    ::_exit(127);
  }

  void collect() {
    int status = 0;
    for (pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
      auto w = std::find_if(workers_.begin(), workers_.end(), [pid](auto &one) { return one.pid == pid; });
      if (w == workers_.end()) continue;
      w->pid = 0;
      const int ended = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
      const auto number = w - workers_.begin() + 1;
      if (ended == wrongly_configured && !ending_) {
        log(log_level::error, fmt::format("worker {} says that it was configured wrongly: all end", number));
        end_all(SIGTERM);
      }
      if (ending_) {
        // The signal that was passed on ends a worker that had not begun to serve: nothing was left.
        if (!WIFSIGNALED(status) || (WTERMSIG(status) != SIGTERM && WTERMSIG(status) != SIGINT))
          worst_ = std::max(worst_, ended);
        continue;
      }
      const auto wait = w->plan.died(clock::now());
      w->start_at = clock::now() + wait;
      log(log_level::warning, fmt::format("worker {} (pid {}) ended with status {}; it is started again in {} ms", number,
                                          pid, ended, wait.count()));
    }
  }

  void end_all(int signal) {
    if (!ending_) kill_at_ = clock::now() + options_.drain_timeout + 10s;
    ending_ = true;
    log(log_level::info, fmt::format("signal {}: it is passed on to the workers", signal));
    kill_all(signal);
  }

  void kill_all(int signal) {
    for (auto &w : workers_)
      if (w.pid != 0) ::kill(w.pid, signal);
  }

  std::chrono::milliseconds until_next() const {
    auto next = clock::now() + 1h;
    for (auto &w : workers_)
      if (w.start_at) next = std::min(next, *w.start_at);
    if (kill_at_) next = std::min(next, std::max(*kill_at_, clock::now() + 100ms));
    return std::max(0ms, std::chrono::ceil<std::chrono::milliseconds>(next - clock::now()));
  }

  const supervisor_options &options_;
  char *const *argv_;
  std::vector<worker> workers_;
  sigset_t before_{};
  bool ending_ = false;
  std::optional<clock::time_point> kill_at_;
  int worst_ = 0;
};

}  // namespace

bool is_worker() noexcept { return std::getenv(worker_variable) != nullptr; }

void drain_host() noexcept {
  static std::atomic_flag asked;
  if (asked.test_and_set()) return;
  if (is_worker())
    ::kill(::getppid(), SIGTERM);
  else
    ::kill(::getpid(), SIGTERM);
}

int supervise(const supervisor_options &options, char *const *argv) { return supervisor(options, argv).run(); }

}  // namespace corbel
