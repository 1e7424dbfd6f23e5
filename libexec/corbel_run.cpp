/// corbel-run: runs one command for a host, and sees to it that nothing of it is left when the command, or the host, ends.
///
///     corbel-run <pid of the host> <user, or - for the same> <folder> <limits> <command> [<argument> ...]
///
/// limits: "memory=<bytes>,cpu=<seconds>,files=<count>,tasks=<count>", any of these, or - for none: what one process may
/// have of addresses, of processor time, and of open files, and how many processes and threads its user may have. The
/// command has this program's standard input, output, error and environment, runs as that user, without further groups and
/// without a way to more rights, in that folder, in a process group of its own. SIGTERM ends all at once: the command and
/// whatever it has started, also what has left its group. The same happens when the host is gone, however it ended. The exit
/// status, or the signal, is the command's; 126 with a line on standard error when it could not be started.

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <grp.h>
#include <iterator>
#include <poll.h>
#include <pwd.h>
#include <string>
#include <string_view>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

constexpr int cannot_start = 126;

[[noreturn]] void refuse(const std::string &what, int code) {
  std::fprintf(stderr, "corbel-run: %s: %s\n", what.c_str(), std::strerror(code));
  std::_Exit(cannot_start);
}

void become(const char *user) {
  errno = 0;
  const passwd *who = ::getpwnam(user);
  if (!who) refuse("no such user '" + std::string(user) + "'", errno != 0 ? errno : ENOENT);
  const auto group = who->pw_gid;
  const auto id = who->pw_uid;
  if (::setgroups(1, &group) != 0 || ::setgid(group) != 0 || ::setuid(id) != 0)
    refuse("cannot become user '" + std::string(user) + "'", errno);
}

struct limit {
  const char *name;
  __rlimit_resource_t what;
};
constexpr limit limits[] = {{"memory", RLIMIT_AS}, {"cpu", RLIMIT_CPU}, {"files", RLIMIT_NOFILE}, {"tasks", RLIMIT_NPROC}};

/// What is more than this process may have itself becomes that. No file is written when the command dies of a fault.
void set_limit(__rlimit_resource_t what, rlim_t value) {
  rlimit both;
  if (::getrlimit(what, &both) != 0) refuse("getrlimit", errno);
  both.rlim_max = std::min(both.rlim_max, value);
  both.rlim_cur = both.rlim_max;
  if (::setrlimit(what, &both) != 0) refuse("setrlimit", errno);
}

void set_limits(const char *text) {
  set_limit(RLIMIT_CORE, 0);
  if (std::strcmp(text, "-") == 0) return;
  for (const char *at = text;;) {
    const char *equals = std::strchr(at, '=');
    const auto *known = std::find_if(std::begin(limits), std::end(limits), [&](const limit &l) {
      return equals && std::string_view(at, static_cast<std::size_t>(equals - at)) == l.name;
    });
    if (known == std::end(limits)) refuse("cannot read the limits '" + std::string(text) + "'", EINVAL);
    char *end = nullptr;
    set_limit(known->what, std::strtoull(equals + 1, &end, 10));
    if (*end == '\0') return;
    at = end + 1;
  }
}

/// In the child: everything up to the command itself.
[[noreturn]] void become_command(pid_t keeper, char **arguments) {
  ::setpgid(0, 0);
  set_limits(arguments[2]);
  if (std::strcmp(arguments[0], "-") != 0) become(arguments[0]);
  // After the change of user, which forgets it. A keeper that is killed takes the command with it.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != keeper) std::_Exit(cannot_start);
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (::chdir(arguments[1]) != 0) refuse("cannot enter '" + std::string(arguments[1]) + "'", errno);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execvp(arguments[3], arguments + 3);
  refuse("cannot start '" + std::string(arguments[3]) + "'", errno);
}

/// Kills the children that the system lists; false when there is no such list.
bool kill_children() {
  const auto path = "/proc/self/task/" + std::to_string(::getpid()) + "/children";
  std::FILE *list = std::fopen(path.c_str(), "re");
  if (!list) return false;
  for (int pid; std::fscanf(list, "%d", &pid) == 1;) ::kill(pid, SIGKILL);
  std::fclose(list);
  return true;
}

/// Whose parent ends becomes our child: so this ends only when nobody is left. status: becomes the command's.
void end_all(pid_t command, int &status) {
  ::kill(-command, SIGKILL);
  for (;;) {
    const bool all = kill_children();
    int how = 0;
    const pid_t gone = ::waitpid(-1, &how, all ? 0 : WNOHANG);
    if (gone == command) status = how;
    if (gone == 0 || (gone < 0 && errno != EINTR)) return;
  }
}

/// Waits for the command's end, for SIGTERM, or for the host's end.
void keep(pid_t command, int host, int signals, int &status) {
  for (;;) {
    pollfd ready[] = {{signals, POLLIN, 0}, {host, POLLIN, 0}};
    if (::poll(ready, 2, -1) < 0 && errno != EINTR) return;
    if (ready[1].revents != 0) return;
    signalfd_siginfo what;
    while (::read(signals, &what, sizeof what) == sizeof what)
      if (what.ssi_signo != SIGCHLD) return;
    int how = 0;
    for (pid_t gone; (gone = ::waitpid(-1, &how, WNOHANG)) > 0;)
      if (gone == command) {
        status = how;
        return;
      }
  }
}

[[noreturn]] void end_like(int status) {
  if (WIFSIGNALED(status)) {
    ::prctl(PR_SET_DUMPABLE, 0);
    ::signal(WTERMSIG(status), SIG_DFL);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::raise(WTERMSIG(status));
    std::_Exit(128 + WTERMSIG(status));
  }
  std::_Exit(WIFEXITED(status) ? WEXITSTATUS(status) : cannot_start);
}

}  // namespace

int main(int argc, char **argv) {
  if (argc < 6) {
    std::fprintf(stderr,
                 "usage: corbel-run <pid of the host> <user or -> <folder> <limits or -> <command> [<argument> ...]\n");
    return 2;
  }
  const auto host = static_cast<pid_t>(std::atoi(argv[1]));
  const int host_end = static_cast<int>(::syscall(SYS_pidfd_open, host, 0));
  if (host_end < 0 || ::getppid() != host) refuse("its host is gone", ESRCH);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  sigset_t ours;
  ::sigemptyset(&ours);
  for (int number : {SIGCHLD, SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&ours, number);
  ::sigprocmask(SIG_BLOCK, &ours, nullptr);
  const int signals = ::signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
  ::fcntl(host_end, F_SETFD, FD_CLOEXEC);
  if (signals < 0) refuse("signalfd", errno);
  const pid_t keeper = ::getpid();
  const pid_t command = ::fork();
  if (command < 0) refuse("fork", errno);
  if (command == 0) become_command(keeper, argv + 2);
  ::setpgid(command, command);
  // The pipes are the command's alone: their other ends must see its end.
  if (const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC); nothing >= 0)
    for (int fd : {0, 1, 2}) ::dup2(nothing, fd);
  if (::chdir("/") != 0) return cannot_start;
  int status = SIGKILL;
  keep(command, host_end, signals, status);
  end_all(command, status);
  end_like(status);
}
