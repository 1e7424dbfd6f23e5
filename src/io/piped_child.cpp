#include "io/piped_child.hpp"

#include "io/child.hpp"
#include "io/os_error.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace corbel::detail {

struct piped_child::ends {
  owned_descriptor process, in, out, err;
};

namespace {

constexpr std::size_t block_size = 65536, most_at_once = std::size_t{1} << 20;

/// Two ends: the child's is no standard stream's number, so that none is overwritten before it was copied.
struct channel {
  owned_descriptor ours, theirs;
  /// into: what the child reads. That one is a socket, because writing to a pipe that nobody reads is a signal.
  bool open(bool into) {
    int fds[2];
    if ((into ? ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) : ::pipe2(fds, O_CLOEXEC)) != 0) return false;
    ours = owned_descriptor(fds[0]);
    theirs = owned_descriptor(fds[1]);
    if (theirs.get() < 3) theirs = owned_descriptor(::fcntl(theirs.get(), F_DUPFD_CLOEXEC, 3));
    return bool(theirs);
  }
};

/// posix_spawn, with the three pipes as its standard streams. An errno, or 0.
int spawn(std::vector<std::string> &arguments, std::vector<std::string> &environment, const int (&streams)[3], pid_t &pid) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  for (int i = 0; i < 3; ++i) ::posix_spawn_file_actions_adddup2(&actions, streams[i], i);
  ::posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  sigset_t none, all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::vector<char *> argv, envp;
  for (auto &a : arguments) argv.push_back(a.data());
  for (auto &e : environment) envp.push_back(e.data());
  argv.push_back(nullptr);
  envp.push_back(nullptr);
  const int code = ::posix_spawn(&pid, argv[0], &actions, &attributes, argv.data(), envp.data());
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  return code;
}

}  // namespace

result<std::shared_ptr<piped_child>> piped_child::start(const std::shared_ptr<loop> &where, settings s, handlers h) {
  const auto failed = [&s](int code) {
    return os_error(status::unavailable, fmt::format("cannot start {}", s.arguments.front()),
                    {code, boost::system::system_category()});
  };
  channel in, out, err;
  if (!in.open(true) || !out.open(false) || !err.open(false)) return failed(errno);
  pid_t pid = 0;
  const int streams[3] = {in.theirs.get(), out.theirs.get(), err.theirs.get()};
  if (const int code = spawn(s.arguments, s.environment, streams, pid); code != 0) return failed(code);
  owned_descriptor process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!process) {
    const int code = errno;
    ::kill(pid, SIGTERM);
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    return failed(code);
  }
  auto made = std::make_shared<piped_child>(
      where, pid, ends{std::move(process), std::move(in.ours), std::move(out.ours), std::move(err.ours)}, s.most_line,
      std::move(h));
  made->run();
  return made;
}

piped_child::piped_child(const std::shared_ptr<loop> &where, pid_t pid, ends &&mine, std::size_t most_line, handlers h)
    : loop_(where),
      pid_(pid),
      most_line_(most_line),
      process_(where->context(), mine.process.release()),
      in_(where->context(), mine.in.release()),
      out_(*where),
      err_(*where),
      handlers_(std::move(h)) {
  out_.pipe.assign(mine.out.release());
  err_.pipe.assign(mine.err.release());
  for (auto *d : {&in_, &out_.pipe, &err_.pipe}) d->non_blocking(true);
}

piped_child::~piped_child() {
  // Only when the loop was destroyed under it: nobody will wait for it.
  if (reaped_) return;
  end();
  pollfd gone{process_.native_handle(), POLLIN, 0};
  if (::poll(&gone, 1, 2000) != 1) ::kill(pid_, SIGKILL);
  ::waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(process_.native_handle()), nullptr, WEXITED);
}

void piped_child::run() {
  process_.async_wait(process_.wait_read, [self = shared_from_this()](boost::system::error_code ec) {
    if (!ec) self->exited();
  });
  read_ready(out_);
  read_ready(err_);
}

void piped_child::read_ready(output &from) {
  from.pipe.async_wait(descriptor::wait_read, [self = shared_from_this(), &from](boost::system::error_code ec) {
    if (ec || self->reaped_ || !from.open) return;
    self->read_some(from, most_at_once);
    if (&from == &self->out_)
      self->cut_lines();
    else
      self->cut_error_lines(false);
    if (from.open && !self->reaped_) self->read_ready(from);
  });
}

void piped_child::read_some(output &from, std::size_t most) {
  for (std::size_t got = 0; from.open && got < most;) {
    char block[block_size];
    const auto n = ::read(from.pipe.native_handle(), block, sizeof block);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    if (n <= 0) {
      from.open = false;
      return;
    }
    from.text.append(block, static_cast<std::size_t>(n));
    got += static_cast<std::size_t>(n);
  }
}

void piped_child::cut_lines() {
  std::size_t from = 0;
  for (std::size_t end; (end = out_.text.find('\n', from)) != std::string::npos && end - from <= most_line_; from = end + 1)
    handlers_.line(std::string_view(out_.text).substr(from, end - from));
  out_.text.erase(0, from);
  if (out_.text.size() <= most_line_) return;
  out_.open = false;
  handlers_.too_long(std::exchange(out_.text, {}).size());
}

void piped_child::cut_error_lines(bool all) {
  std::size_t from = 0;
  for (;;) {
    auto end = err_.text.find('\n', from);
    if (end == std::string::npos && err_.text.size() - from < (all ? 1 : most_error_line)) break;
    const auto line = std::string_view(err_.text).substr(from, std::min(end - from, most_error_line));
    from += line.size() + (end == from + line.size() ? 1 : 0);
    handlers_.error_line(line);
  }
  err_.text.erase(0, from);
}

void piped_child::send(std::string_view line) {
  if (no_more_) return;
  queued_.append(line) += '\n';
  if (!writing_) write_some();
}

void piped_child::close_input() {
  no_more_ = true;
  if (!writing_) write_some();
}

void piped_child::write_some() {
  while (!queued_.empty() && in_.is_open()) {
    const auto n = ::send(in_.native_handle(), queued_.data(), queued_.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
    if (n < 0) {
      queued_.clear();  // it reads no more, as its end will tell
      break;
    }
    queued_.erase(0, static_cast<std::size_t>(n));
  }
  writing_ = !queued_.empty() && in_.is_open();
  boost::system::error_code ignored;
  if (!writing_ && no_more_) in_.close(ignored);
  if (!writing_) return;
  in_.async_wait(descriptor::wait_write, [self = shared_from_this()](boost::system::error_code ec) {
    if (!ec && !self->reaped_) self->write_some();
  });
}

void piped_child::end() noexcept {
  // Until it is waited for, its number is nobody else's.
  if (!reaped_) ::kill(pid_, SIGTERM);
}

void piped_child::exited() {
  siginfo_t how{};
  int status = -1000;
  if (::waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(process_.native_handle()), &how, WEXITED) == 0)
    status = how.si_code == CLD_EXITED ? how.si_status : -how.si_status;
  reaped_ = true;
  // What is in the pipes is all there will be: nothing of it is left that could write.
  read_some(err_, most_at_once);
  cut_error_lines(true);
  while (out_.open) {
    const auto before = out_.text.size();
    read_some(out_, block_size);
    if (out_.text.size() == before) break;
    cut_lines();
  }
  auto told = std::exchange(handlers_, {});
  boost::system::error_code ignored;
  for (auto *d : {&process_, &in_, &out_.pipe, &err_.pipe}) d->close(ignored);
  told.ended(status, out_.text);
}

}  // namespace corbel::detail
