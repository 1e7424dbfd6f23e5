#pragma once
/// A real redis-server in a directory of its own, on a port of its own. It dies with the test.
///
///     redis_server server({.append_only = true});
///     server.command({"SET", "key", "value"});
///     server.kill();                          // SIGKILL, waited for
///     server.start();                         // same port, same directory
///
/// Threads: any. A probe beside the library under test, over a unix socket, tells when the server answers.

#include "support/certificates.hpp"
#include "support/child_process.hpp"
#include "support/temp_dir.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace corbel::test {

struct redis_server_options {
  bool append_only = false;           ///< keep every write over a SIGKILL
  std::string password = {};          ///< requirepass
  std::vector<std::string> acl = {};  ///< lines such as "user ada on >secret ~* &* +@all"; one for the probe is added
  bool tls = false;                   ///< port() speaks TLS, and only TLS
  bool tls_clients = false;           ///< clients must show a certificate
  std::string tls_names = "DNS:localhost";
  unsigned max_clients = 10000;  ///< the probe's own connection is one of them
  std::vector<std::string> arguments = {};
  std::vector<std::string> variables = {};  ///< "NAME=value", for its environment
};

/// What the server answered: text of strings and statuses, or a number, or elements.
struct redis_answer {
  bool nil = false;
  std::string text = {};
  long long number = 0;
  std::vector<redis_answer> elements = {};
};

class redis_server {
 public:
  using clock = std::chrono::steady_clock;

  /// Starts it and waits until it answers PONG.
  explicit redis_server(redis_server_options options = {});
  ~redis_server();
  redis_server(const redis_server &) = delete;
  redis_server &operator=(const redis_server &) = delete;

  std::uint16_t port() const noexcept { return port_; }
  /// "redis://:password@127.0.0.1:port", or "rediss://localhost:port". Without the password where there is none.
  std::string url() const;
  std::string unix_path() const { return dir_.file("redis.sock"); }
  pid_t pid() const noexcept { return process_.pid(); }
  const temp_dir &directory() const noexcept { return dir_; }
  const certificates &tls() const noexcept { return certificates_; }

  void stop();   ///< SIGTERM, waited for
  void kill();   ///< SIGKILL, waited for
  void start();  ///< starts it again and returns when it answers PONG
  void spawn();  ///< starts it again and returns at once; wait_ready tells when it answers
  void pause();  ///< SIGSTOP
  void resume();

  /// Waits for PONG (LOADING is none) and returns the moment when it came. Throws std::runtime_error with the server's log
  /// when it does not come in time.
  clock::time_point wait_ready(std::chrono::milliseconds deadline = std::chrono::seconds(30));

  /// One command and its answer. Throws std::runtime_error when the server cannot be asked or answers with an error.
  redis_answer command(const std::vector<std::string> &arguments);
  /// One line of INFO, such as info("connected_clients").
  std::string info(const std::string &field);
  /// Which clients are connected whose name (CLIENT SETNAME) contains the text.
  std::vector<std::string> clients(const std::string &text = "");

 private:
  struct connection;
  bool probe();
  std::string log_text() const;

  redis_server_options options_;
  temp_dir dir_;
  certificates certificates_;
  std::uint16_t port_ = 0;
  child_process process_;
  std::mutex mutex_;
  std::unique_ptr<connection> admin_;
};

}  // namespace corbel::test
