#include "support/child_process.hpp"

#include "support/temp_dir.hpp"
#include "support/until.hpp"

#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <functional>
#include <future>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <utility>

extern char **environ;

namespace corbel::test {

namespace {

/// A parent-death signal comes when the thread that forked ends, not the process: so one thread, which never ends, forks
/// all.
class forker {
 public:
  static forker &instance() {
    static auto *one = new forker;
    return *one;
  }
  pid_t run(std::function<pid_t()> work) {
    std::unique_lock lock(mutex_);
    std::packaged_task<pid_t()> task(std::move(work));
    auto done = task.get_future();
    slot_free_.wait(lock, [&] { return !task_; });
    task_ = &task;
    wake_.notify_one();
    lock.unlock();
    return done.get();
  }

 private:
  forker() {
    std::thread([this] {
      for (;;) {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [this] { return task_ != nullptr; });
        auto task = std::move(*std::exchange(task_, nullptr));
        slot_free_.notify_one();
        lock.unlock();
        task();
      }
    }).detach();
  }
  std::mutex mutex_;
  std::condition_variable wake_, slot_free_;
  std::packaged_task<pid_t()> *task_ = nullptr;
};

[[noreturn]] void become(char **argv, char **envp, int log, int report, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  int in = ::open("/dev/null", O_RDONLY);
  ::dup2(in, 0);
  ::dup2(log, 1);
  ::dup2(log, 2);
  ::dup2(report, 3);
  ::fcntl(3, F_SETFD, FD_CLOEXEC);
  ::close_range(4, ~0u, 0);
  ::execvpe(argv[0], argv, envp);
  int code = errno;
  [[maybe_unused]] auto written = ::write(3, &code, sizeof code);
  ::_exit(127);
}

std::vector<char *> pointers(std::vector<std::string> &texts) {
  std::vector<char *> out;
  for (auto &t : texts) out.push_back(t.data());
  out.push_back(nullptr);
  return out;
}

}  // namespace

child_process::child_process(const std::vector<std::string> &arguments, const std::string &log,
                             const std::vector<std::string> &variables) {
  auto arguments_copy = arguments;
  auto environment = variables;
  for (char **e = environ; *e; ++e) environment.emplace_back(*e);
  auto argv = pointers(arguments_copy);
  auto envp = pointers(environment);

  int log_fd = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  int pipe_fds[2];
  if (log_fd < 0 || ::pipe2(pipe_fds, O_CLOEXEC) != 0) throw std::runtime_error("cannot open " + log + " or a pipe");
  auto parent = ::getpid();
  pid_ = forker::instance().run([&] {
    pid_t pid = ::fork();
    if (pid == 0) become(argv.data(), envp.data(), log_fd, pipe_fds[1], parent);
    return pid;
  });
  ::close(log_fd);
  ::close(pipe_fds[1]);
  int code = 0;
  ssize_t got;
  do got = ::read(pipe_fds[0], &code, sizeof code);
  while (got < 0 && errno == EINTR);
  ::close(pipe_fds[0]);
  if (pid_ < 0) throw std::runtime_error("fork failed");
  if (got > 0) {
    kill();
    throw std::runtime_error("cannot execute " + arguments.front() + ": " + std::strerror(code));
  }
}

child_process::~child_process() {
  if (pid_ > 0) kill();
}

child_process::child_process(child_process &&o) noexcept : pid_(std::exchange(o.pid_, 0)), status_(o.status_) {}

child_process &child_process::operator=(child_process &&o) noexcept {
  if (this != &o) {
    if (pid_ > 0) kill();
    pid_ = std::exchange(o.pid_, 0);
    status_ = o.status_;
  }
  return *this;
}

int child_process::collect(int status) noexcept {
  pid_ = 0;
  return status_ = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

bool child_process::running() { return !wait_for(std::chrono::milliseconds(0)); }

void child_process::signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);
}

std::optional<int> child_process::wait_for(std::chrono::milliseconds deadline) {
  bool ended = until(deadline, [this] {
    int status = 0;
    if (pid_ > 0 && ::waitpid(pid_, &status, WNOHANG) == pid_) collect(status);
    return pid_ == 0;
  });
  return ended ? std::optional(status_) : std::nullopt;
}

int child_process::stop(std::chrono::milliseconds deadline) {
  signal(SIGTERM);
  auto status = wait_for(deadline);
  return status ? *status : kill();
}

int child_process::kill() {
  signal(SIGKILL);
  int status = 0;
  while (pid_ > 0) {
    if (::waitpid(pid_, &status, 0) == pid_) collect(status);
  }
  return status_;
}

void child_process::pause() {
  signal(SIGSTOP);
  int status = 0;
  if (pid_ > 0 && ::waitpid(pid_, &status, WUNTRACED) == pid_ && !WIFSTOPPED(status)) collect(status);
}

void child_process::resume() const { signal(SIGCONT); }

void run_program(const std::vector<std::string> &arguments) {
  temp_dir dir;
  auto log = dir.file("output");
  auto status = child_process(arguments, log).wait_for(std::chrono::seconds(60));
  if (status == 0) return;
  std::ostringstream text;
  text << arguments.front() << " ended with " << status.value_or(-1) << ": " << std::ifstream(log).rdbuf();
  throw std::runtime_error(text.str());
}

}  // namespace corbel::test
