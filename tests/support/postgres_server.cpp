#include "support/postgres_server.hpp"

#include "support/free_port.hpp"
#include "support/until.hpp"

#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <libpq-fe.h>
#include <pwd.h>
#include <sstream>
#include <stdexcept>
#include <sys/file.h>
#include <unistd.h>

namespace corbel::test {

namespace {

constexpr const char *programs = "/usr/lib/postgresql/15/bin/";

/// Holds a lock on a file while it lives, so that one process makes what all use.
class file_lock {
 public:
  explicit file_lock(const std::string &path) : fd_(::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600)) {
    if (fd_ < 0 || ::flock(fd_, LOCK_EX) != 0) throw std::runtime_error("cannot lock " + path);
  }
  ~file_lock() { ::close(fd_); }
  file_lock(const file_lock &) = delete;
  file_lock &operator=(const file_lock &) = delete;

 private:
  int fd_;
};

/// An initialized cluster that is copied for each server.
std::string pristine_cluster() {
  const auto base = std::filesystem::temp_directory_path() / ("corbel-postgres-15-" + std::to_string(::geteuid()));
  std::filesystem::create_directories(base);
  const file_lock lock(base.string() + ".lock");
  const auto data = base / "data";
  if (std::filesystem::exists(data)) return data.string();
  const auto fresh = base / "new";
  std::filesystem::remove_all(fresh);
  give_to_postgres(base.string());
  run_program(as_postgres({std::string(programs) + "initdb", "-D", fresh.string(), "-U", "postgres", "-A", "trust", "-E",
                           "UTF8", "--locale=C", "--no-sync"}));
  std::filesystem::rename(fresh, data);
  return data.string();
}

}  // namespace

std::vector<std::string> as_postgres(std::vector<std::string> arguments) {
  if (::geteuid() != 0) return arguments;
  std::vector<std::string> all{"setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return all;
}

void give_to_postgres(const std::string &path) {
  if (::geteuid() != 0) return;
  const auto *user = ::getpwnam("postgres");
  if (!user || ::chown(path.c_str(), user->pw_uid, user->pw_gid) != 0) throw std::runtime_error("cannot give away " + path);
}

struct postgres_server::connection {
  explicit connection(const std::string &conninfo) : conn(::PQconnectdb(conninfo.c_str()), ::PQfinish) {
    if (::PQstatus(conn.get()) != CONNECTION_OK) throw std::runtime_error(::PQerrorMessage(conn.get()));
    ::PQsetNoticeProcessor(
        conn.get(), [](void *, const char *) {}, nullptr);
  }
  std::unique_ptr<PGconn, decltype(&::PQfinish)> conn;
};

postgres_server::postgres_server(postgres_server_options options) : options_(std::move(options)) {
  const auto data = dir_.file("data");
  give_to_postgres(dir_.path().string());
  run_program(as_postgres({"cp", "-a", pristine_cluster(), data}));
  std::string conf =
      "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\nautovacuum = off\nshared_buffers = 16MB\n"
      "listen_addresses = '127.0.0.1,::1'\nlogging_collector = off\nmax_connections = " +
      std::to_string(options_.max_connections) + "\nunix_socket_directories = '" + dir_.path().string() + "'\n";
  for (auto &line : options_.settings) conf += line + "\n";
  std::string hba = "local all all trust\n";
  if (options_.tls) {
    certificates_ = make_certificates(dir_);
    for (auto *file : {&certificates_.ca, &certificates_.cert, &certificates_.key}) give_to_postgres(*file);
    std::filesystem::permissions(certificates_.key, std::filesystem::perms::owner_read);
    conf += "ssl = on\nssl_ca_file = '" + certificates_.ca + "'\nssl_cert_file = '" + certificates_.cert +
            "'\nssl_key_file = '" + certificates_.key + "'\n";
  }
  if (options_.hba.empty()) hba += "host all all all trust\nhost replication all all trust\n";
  for (auto &line : options_.hba) hba += line + "\n";
  std::ofstream(data + "/postgresql.auto.conf") << conf;
  std::ofstream(data + "/pg_hba.conf") << hba;
  for (int tries = 0;; ++tries) {
    port_ = free_port();
    try {
      start();
      return;
    } catch (const std::runtime_error &) {
      if (process_.running() || tries == 4) throw;  // else another process took the port meanwhile
    }
  }
}

postgres_server::~postgres_server() { stop(how::immediate); }

std::string postgres_server::url(const std::string &parameters) const {
  return std::string("postgresql://postgres@") + (options_.tls ? "localhost:" : "127.0.0.1:") + std::to_string(port_) +
         "/postgres" + (parameters.empty() ? "" : "?" + parameters);
}

void postgres_server::spawn() {
  std::lock_guard lock(mutex_);
  admin_.reset();
  process_ =
      child_process(as_postgres({std::string(programs) + "postgres", "-D", dir_.file("data"), "-p", std::to_string(port_)}),
                    dir_.file("postgres.log"));
}

bool postgres_server::probe() {
  try {
    if (!admin_)
      admin_ = std::make_unique<connection>("host=" + dir_.path().string() + " port=" + std::to_string(port_) +
                                            " user=postgres dbname=postgres application_name=probe");
    return true;
  } catch (const std::runtime_error &) {
    return false;
  }
}

void postgres_server::start() {
  spawn();
  bool has_ended = false;
  const bool is_up = until(std::chrono::seconds(60), [&] {
    std::lock_guard lock(mutex_);
    return probe() || (has_ended = !process_.running());
  });
  if (is_up && !has_ended) return;
  std::ostringstream log;
  log << std::ifstream(dir_.file("postgres.log")).rdbuf();
  throw std::runtime_error("PostgreSQL does not answer: " + log.str());
}

void postgres_server::stop(how h) {
  {
    std::lock_guard lock(mutex_);
    admin_.reset();
  }
  if (!process_.running()) return;
  process_.signal(h == how::fast ? SIGINT : SIGQUIT);
  if (!process_.wait_for(std::chrono::seconds(30))) process_.kill();
}

postgres_server::rows postgres_server::ask(const std::string &sql) {
  std::lock_guard lock(mutex_);
  if (!probe()) throw std::runtime_error("PostgreSQL cannot be asked");
  std::unique_ptr<PGresult, decltype(&::PQclear)> r(::PQexec(admin_->conn.get(), sql.c_str()), ::PQclear);
  const auto status = ::PQresultStatus(r.get());
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
    const std::string why = ::PQresultErrorMessage(r.get());
    if (::PQstatus(admin_->conn.get()) != CONNECTION_OK) admin_.reset();
    throw std::runtime_error(why);
  }
  rows all;
  for (int i = 0; i < ::PQntuples(r.get()); ++i) {
    all.emplace_back();
    for (int j = 0; j < ::PQnfields(r.get()); ++j) all.back().emplace_back(::PQgetvalue(r.get(), i, j));
  }
  return all;
}

long postgres_server::clients(const std::string &condition) {
  return std::stol(
      value("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND "
            "application_name <> 'probe' AND (" +
            condition + ")"));
}

}  // namespace corbel::test
