#include "io/child.hpp"

#include "io/os_error.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace corbel::detail {

namespace {

std::vector<char *> pointers(std::vector<std::string> &texts) {
  std::vector<char *> out;
  for (auto &t : texts) out.push_back(t.data());
  out.push_back(nullptr);
  return out;
}

/// posix_spawn's two objects.
struct spawn_plan {
  spawn_plan(int socket) {
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
    ::posix_spawn_file_actions_adddup2(&actions, socket, 0);
    ::posix_spawn_file_actions_adddup2(&actions, socket, 1);
    ::posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    sigset_t none, all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setsigdefault(&attributes, &all);
    ::posix_spawnattr_setpgroup(&attributes, 0);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~spawn_plan() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }
  spawn_plan(const spawn_plan &) = delete;
  spawn_plan &operator=(const spawn_plan &) = delete;
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
};

error system_failure(const std::string &what, int code) {
  return os_error(status::unavailable, what, {code, boost::system::system_category()});
}

}  // namespace

owned_descriptor::~owned_descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

result<std::shared_ptr<child>> child::start(const std::shared_ptr<loop> &where, std::vector<std::string> arguments,
                                            std::vector<std::string> environment, handlers h) {
  const auto what = fmt::format("cannot start {}", arguments.front());
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return system_failure(what, errno);
  owned_descriptor ours(ends[0]), theirs(ends[1]);
  spawn_plan plan(theirs.get());
  auto argv = pointers(arguments), envp = pointers(environment);
  pid_t pid = 0;
  if (const int code = ::posix_spawn(&pid, argv[0], &plan.actions, &plan.attributes, argv.data(), envp.data()); code != 0)
    return system_failure(what, code);
  owned_descriptor process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!process) {
    const int code = errno;
    ::kill(-pid, SIGKILL);
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    return system_failure(what, code);
  }
  auto made = std::make_shared<child>(where, pid, std::move(process), std::move(ours), std::move(h));
  made->run();
  return made;
}

child::child(const std::shared_ptr<loop> &where, pid_t pid, owned_descriptor process, owned_descriptor socket, handlers h)
    : loop_(where),
      pid_(pid),
      process_(where->context(), process.release()),
      socket_(where->context(), socket.release()),
      handlers_(std::move(h)) {
  socket_.non_blocking(true);
}

child::~child() {
  // Only when the loop was destroyed under it: nobody will wait for it.
  if (!reaped_) {
    kill();
    ::waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(process_.native_handle()), nullptr, WEXITED);
  }
}

void child::run() {
  process_.async_wait(process_.wait_read, [self = shared_from_this()](boost::system::error_code ec) {
    if (!ec) self->exited();
  });
  read_ready();
}

void child::read_ready() {
  socket_.async_wait(socket_.wait_read, [self = shared_from_this()](boost::system::error_code ec) {
    if (ec || self->closed_) return;
    self->closed_ = !self->read_some();
    self->cut_lines();
    if (!self->closed_)
      self->read_ready();
    else if (self->reaped_)
      self->finish();
  });
}

bool child::read_some() {
  for (;;) {
    char block[65536];
    alignas(cmsghdr) char room[CMSG_SPACE(8 * sizeof(int))];
    iovec part{block, sizeof block};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = room;
    message.msg_controllen = sizeof room;
    const auto n = ::recvmsg(socket_.native_handle(), &message, MSG_CMSG_CLOEXEC);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno == EAGAIN || errno == EWOULDBLOCK;
    for (auto *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
      if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
      const auto count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      for (std::size_t i = 0; i < count; ++i) {
        int fd;
        std::memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
        descriptors_.emplace_back(fd);
      }
    }
    if (n == 0) return false;
    in_.append(block, static_cast<std::size_t>(n));
    if (in_.size() > most_line && in_.find('\n') == in_.npos) {
      kill();
      return false;
    }
  }
}

void child::cut_lines() {
  std::size_t from = 0;
  for (std::size_t end; (end = in_.find('\n', from)) != in_.npos; from = end + 1)
    handlers_.line(std::string_view(in_).substr(from, end - from));
  in_.erase(0, from);
}

void child::send(std::string_view line) {
  out_.append(line) += '\n';
  if (!writing_) write_some();
}

void child::write_some() {
  while (!out_.empty()) {
    const auto n = ::send(socket_.native_handle(), out_.data(), out_.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
    if (n < 0) return out_.clear();  // it is gone, as its end will tell
    out_.erase(0, static_cast<std::size_t>(n));
  }
  writing_ = !out_.empty();
  if (!writing_) return;
  socket_.async_wait(socket_.wait_write, [self = shared_from_this()](boost::system::error_code ec) {
    if (!ec && !self->closed_) self->write_some();
  });
}

void child::kill() noexcept {
  // Until it is waited for, its number is nobody else's; so is its group's.
  if (!reaped_) ::kill(-pid_, SIGKILL);
}

owned_descriptor child::take_descriptor() {
  if (descriptors_.empty()) return {};
  auto first = std::move(descriptors_.front());
  descriptors_.pop_front();
  return first;
}

void child::exited() {
  // What it started, if anything, must not live on; the group's number is its own until it is waited for.
  kill();
  siginfo_t how{};
  if (::waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(process_.native_handle()), &how, WEXITED) == 0)
    status_ = how.si_code == CLD_EXITED ? how.si_status : -how.si_status;
  else
    status_ = -1000;
  reaped_ = true;
  if (!closed_) closed_ = !read_some();
  cut_lines();
  finish();
}

void child::finish() {
  auto ended = std::exchange(handlers_.ended, nullptr);
  handlers_.line = [](std::string_view) {};
  closed_ = true;
  boost::system::error_code ec;
  process_.close(ec);
  socket_.close(ec);
  if (ended) ended(status_);
}

}  // namespace corbel::detail
