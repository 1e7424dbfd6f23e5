// How long a server takes from its start to its first 200, and how much memory it has resident a second later.
//
//     bench_http_ready --port 8010 --path /readyz -- PROGRAM ARGUMENT...

#include "measure.h"

#include <arpa/inet.h>
#include <csignal>
#include <cstdint>
#include <fcntl.h>
#include <fstream>
#include <netinet/in.h>
#include <spawn.h>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

// False while nobody listens, or what is answered is not 200.
bool is_ready(std::uint16_t port, const std::string &path) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  char answer[64] = {};
  const auto request = "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  const bool good = ::connect(fd, reinterpret_cast<sockaddr *>(&to), sizeof to) == 0 &&
                    ::send(fd, request.data(), request.size(), MSG_NOSIGNAL) > 0 &&
                    ::recv(fd, answer, sizeof answer - 1, 0) > 12;
  ::close(fd);
  return good && std::string(answer).substr(9, 3) == "200";
}

long resident_kib(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmRSS:")) return std::strtol(line.c_str() + 6, nullptr, 10);
  throw std::runtime_error("the program has ended");
}

pid_t start(char **command) {
  posix_spawn_file_actions_t quiet;
  ::posix_spawn_file_actions_init(&quiet);
  ::posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t pid = 0;
  if (::posix_spawnp(&pid, command[0], &quiet, nullptr, command, environ) != 0)
    throw std::runtime_error(std::string("cannot start ") + command[0]);
  ::posix_spawn_file_actions_destroy(&quiet);
  return pid;
}

}  // namespace

int main(int argc, char **argv) try {
  const auto port = static_cast<std::uint16_t>(measure_number(argc, argv, "port", 8010));
  const std::string path = measure_option(argc, argv, "path", "/readyz");
  int first = 1;
  while (first < argc && std::string(argv[first]) != "--") ++first;
  if (first + 1 >= argc) throw std::runtime_error("which program?");

  const double began = measure_now();
  const pid_t pid = start(argv + first + 1);
  bool ready = false;
  while (!(ready = is_ready(port, path)) && measure_now() - began < 20 && ::waitpid(pid, nullptr, WNOHANG) == 0)
    ::usleep(200);
  const double took = measure_now() - began;
  ::sleep(1);
  const long resident = ready ? resident_kib(pid) : 0;
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  if (!ready) throw std::runtime_error("the program did not become ready");
  std::printf("{\"ready_ms\": %.2f, \"resident_mib\": %.2f}\n", 1e3 * took, static_cast<double>(resident) / 1024);
  return 0;
} catch (const std::exception &e) {
  std::fprintf(stderr, "bench_http_ready: %s\n", e.what());
  return 1;
}
