/// corbel-git: works for the bundle loader of one process. Standard input and output are one socket: it reads one line, the
/// job, and writes lines until the job has ended, see src/bundle/job.hpp; then it says that it is idle and waits for the
/// next, or ends, when it was told a secret or something failed. It ends at once when the other end of the socket is gone,
/// and may be killed at any moment.

#include "bundle/blocking/job_run.hpp"

#include <cerrno>
#include <cstring>
#include <malloc.h>
#include <poll.h>
#include <string>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace {

constexpr std::size_t most_request = std::size_t{16} << 20;

/// Nobody waits for the outcome any more.
[[noreturn]] void leave() { ::_exit(3); }

std::string read_request() {
  std::string line;
  char block[16384];
  while (line.find('\n') == line.npos) {
    const auto n = ::read(0, block, sizeof block);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0 || line.size() > most_request) leave();
    line.append(block, static_cast<std::size_t>(n));
  }
  line.resize(line.find('\n'));
  return line;
}

void send_line(std::string line, int descriptor) {
  line += '\n';
  for (std::size_t sent = 0; sent < line.size();) {
    iovec part{line.data() + sent, line.size() - sent};
    alignas(cmsghdr) char room[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (descriptor >= 0 && sent == 0) {
      message.msg_control = room;
      message.msg_controllen = sizeof room;
      auto *header = CMSG_FIRSTHDR(&message);
      header->cmsg_level = SOL_SOCKET;
      header->cmsg_type = SCM_RIGHTS;
      header->cmsg_len = CMSG_LEN(sizeof(int));
      std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
    }
    const auto n = ::sendmsg(1, &message, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) leave();
    sent += static_cast<std::size_t>(n);
  }
}

void leave_with_asker() {
  std::thread([] {
    for (;;) {
      pollfd end{0, POLLRDHUP, 0};
      if (::poll(&end, 1, -1) > 0 && (end.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)) != 0) leave();
    }
  }).detach();
}

}  // namespace

int main() {
  using namespace corbel::detail;
  // What it was asked, credentials too, is in its memory: nobody of the same user may look at it, nor is it dumped.
  ::prctl(PR_SET_DUMPABLE, 0);
  const auto send = [](const job_message &m, int descriptor) { send_line(write_job(m), descriptor); };
  job_runner runner;
  for (bool first = true;; first = false) {
    const auto request = read_job_request(read_request());
    if (first) leave_with_asker();
    if (!request) send({.what = job_message::kind::failed, .why = request.error()}, -1);
    if (!request || !runner.run(*request, send)) ::_exit(0);
    ::malloc_trim(0);
    send({.what = job_message::kind::idle}, -1);
  }
}
