#pragma once
/// A real PostgreSQL in a directory of its own, on a port of its own, without fsync. It dies with the test.
///
///     postgres_server server;
///     server.ask("CREATE TABLE t (id int)");
///     server.restart(postgres_server::how::immediate);
///
/// Threads: any. Run as root, the server runs as the user postgres, because it refuses root. A cluster is initialized once
/// per machine and user, then copied.

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

struct postgres_server_options {
  std::vector<std::string> settings = {};  ///< lines of postgresql.conf
  std::vector<std::string> hba = {};       ///< lines of pg_hba.conf for TCP, instead of trust for everybody
  bool tls = false;                        ///< with certificates for localhost
  unsigned max_connections = 100;
};

class postgres_server {
 public:
  using rows = std::vector<std::vector<std::string>>;
  enum class how { fast, immediate };

  /// Starts it and waits until it answers.
  explicit postgres_server(postgres_server_options options = {});
  ~postgres_server();
  postgres_server(const postgres_server &) = delete;
  postgres_server &operator=(const postgres_server &) = delete;

  std::uint16_t port() const noexcept { return port_; }
  /// "postgresql://postgres@127.0.0.1:port/postgres", by name when it has certificates.
  std::string url(const std::string &parameters = "") const;
  /// The folder of its Unix socket.
  std::string socket_folder() const { return dir_.path().string(); }
  const certificates &tls() const noexcept { return certificates_; }

  void stop(how h = how::fast);
  void start();  ///< again, and returns when it answers
  void restart(how h = how::fast) {
    stop(h);
    start();
  }

  /// Statements over the Unix socket, as the superuser; the rows of the last one. Throws std::runtime_error.
  rows ask(const std::string &sql);
  /// The only value.
  std::string value(const std::string &sql) { return ask(sql).at(0).at(0); }
  /// Connections of clients besides the one of ask().
  long clients(const std::string &condition = "true");

 private:
  struct connection;
  void spawn();
  bool probe();
  postgres_server_options options_;
  temp_dir dir_;
  certificates certificates_;
  std::uint16_t port_ = 0;
  child_process process_;
  std::mutex mutex_;
  std::unique_ptr<connection> admin_;
};

/// arguments, run as the user postgres when this is root.
std::vector<std::string> as_postgres(std::vector<std::string> arguments);
/// Makes a path the user postgres's when this is root.
void give_to_postgres(const std::string &path);

}  // namespace corbel::test
