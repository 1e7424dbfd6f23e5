#include "support/git_repository.hpp"

#include "support/certificates.hpp"
#include "support/child_process.hpp"
#include "support/free_port.hpp"
#include "support/until.hpp"

#include <fmt/format.h>

#include <arpa/inet.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <pwd.h>
#include <random>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

namespace corbel::test {

namespace fs = std::filesystem;

namespace {

std::string read_file(const std::string &path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

const std::vector<std::string> author = {"GIT_AUTHOR_NAME=t",           "GIT_AUTHOR_EMAIL=t@example",
                                         "GIT_COMMITTER_NAME=t",        "GIT_COMMITTER_EMAIL=t@example",
                                         "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1"};

bool listens(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool ok = ::connect(fd, reinterpret_cast<sockaddr *>(&to), sizeof to) == 0;
  ::close(fd);
  return ok;
}

void wait_for(std::uint16_t port, child_process &server, const std::string &log) {
  if (!until(std::chrono::seconds(60), [&] { return listens(port) || !server.running(); }) || !server.running())
    throw std::runtime_error("a server did not start: " + read_file(log));
}

}  // namespace

git_repository::git_repository() {
  // Served to whoever the servers run as.
  fs::permissions(dir_.path(), fs::perms::owner_all | fs::perms::group_read | fs::perms::group_exec |
                                   fs::perms::others_read | fs::perms::others_exec);
  run_program({"git", "init", "-q", "--bare", "-b", "main", path()});
  run_program({"git", "-C", path(), "config", "receive.denyDeleteCurrent", "ignore"});
  run_program({"git", "init", "-q", "-b", "main", tree()});
  git({"config", "core.fsync", "none"});
  git({"remote", "add", "origin", path()});
}

std::string git_repository::git(std::vector<std::string> arguments) {
  const auto log = dir_.file("git.log");
  fs::remove(log);
  arguments.insert(arguments.begin(), {"git", "-C", tree()});
  child_process run(arguments, log, author);
  if (run.wait_for(std::chrono::seconds(120)) != 0)
    throw std::runtime_error(fmt::format("git {}: {}", arguments[3], read_file(log)));
  auto out = read_file(log);
  while (out.ends_with('\n')) out.pop_back();
  return out;
}

std::string git_repository::commit(const std::map<std::string, std::optional<std::string>> &files,
                                   const std::string &branch) {
  git({"symbolic-ref", "HEAD", "refs/heads/" + branch});
  for (const auto &[name, text] : files) {
    const bool program = name.ends_with('*');
    const fs::path file = fs::path(tree()) / (program ? name.substr(0, name.size() - 1) : name);
    fs::remove(file);
    if (!text) continue;
    fs::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << *text;
    if (program) fs::permissions(file, fs::perms::owner_all, fs::perm_options::add);
  }
  git({"add", "-A"});
  git({"commit", "-q", "--allow-empty", "-m", "change"});
  git({"push", "-q", "--force", "origin", "HEAD:refs/heads/" + branch});
  return git({"rev-parse", "HEAD"});
}

std::string git_repository::commit_many(unsigned files, std::size_t bytes_each, unsigned seed) {
  std::mt19937 random(seed);
  std::map<std::string, std::optional<std::string>> all;
  for (unsigned i = 0; i < files; ++i) {
    std::string text(bytes_each, '\0');
    for (auto &c : text) c = "0123456789abcdef\n"[random() % 17];
    all.emplace(fmt::format("d{}/f{}", i % 50, i), std::move(text));
  }
  return commit(all);
}

void git_repository::link(const std::string &name, const std::string &target) {
  const auto file = fs::path(tree()) / name;
  fs::create_directories(file.parent_path());
  fs::remove(file);
  fs::create_symlink(target, file);
}

void git_repository::tag(const std::string &name, bool annotated) {
  annotated ? git({"tag", "-f", "-a", name, "-m", name}) : git({"tag", "-f", name});
  git({"push", "-q", "--force", "origin", "refs/tags/" + name});
}

// ---- http ----

struct git_http_server::impl {
  temp_dir dir;
  std::uint16_t port = free_port();
  child_process backend, nginx;
  certificates tls;  ///< empty: none
};

git_http_server::git_http_server(const std::string &folder, const std::string &password, bool tls)
    : impl_(std::make_unique<impl>()) {
  auto &i = *impl_;
  std::string tls_lines;
  if (tls) {
    i.tls = make_certificates(i.dir);
    tls_lines = fmt::format("ssl_certificate {}; ssl_certificate_key {};", i.tls.cert, i.tls.key);
  }
  const auto socket = i.dir.file("cgi.socket");
  std::string auth;
  if (!password.empty())
    auth = "auth_basic git; auth_basic_user_file " +
           i.dir.write("users", "ada:{PLAIN}" + password + "\nx-access-token:{PLAIN}" + password + "\n") + ";";
  const auto conf = i.dir.write("nginx.conf", fmt::format(R"(
daemon off; {0} pid {1}/nginx.pid; error_log {1}/error.log;
events {{ worker_connections 256; }}
http {{
  access_log {1}/access.log; client_body_temp_path {1}/body; fastcgi_temp_path {1}/fastcgi; proxy_temp_path {1}/proxy;
  uwsgi_temp_path {1}/uwsgi; scgi_temp_path {1}/scgi;
  server {{
    listen 127.0.0.1:{2}{6}; {7} {3} client_max_body_size 0;
    location /moved/ {{ rewrite ^/moved/(.*)$ http://127.0.0.1:{2}/$1 redirect; }}
    location /elsewhere/ {{ rewrite ^/elsewhere/(.*)$ http://localhost:{2}/$1 redirect; }}
    location / {{
      fastcgi_pass unix:{4}; fastcgi_buffering off;
      fastcgi_param SCRIPT_FILENAME /usr/lib/git-core/git-http-backend; fastcgi_param GIT_HTTP_EXPORT_ALL 1;
      fastcgi_param GIT_PROJECT_ROOT {5}; fastcgi_param PATH_INFO $uri; fastcgi_param REMOTE_USER $remote_user;
      fastcgi_param QUERY_STRING $query_string; fastcgi_param REQUEST_METHOD $request_method;
      fastcgi_param CONTENT_TYPE $content_type; fastcgi_param CONTENT_LENGTH $content_length;
      fastcgi_param GIT_PROTOCOL $http_git_protocol; fastcgi_param HTTP_CONTENT_ENCODING $http_content_encoding;
    }}
  }}
}}
)",
                                                          ::getuid() == 0 ? "user root;" : "", i.dir.path().string(), i.port,
                                                          auth, socket, folder, tls ? " ssl" : "", tls_lines));
  const auto log = i.dir.file("servers.log");
  i.backend =
      child_process({"fcgiwrap", "-s", "unix:" + socket}, log, {"GIT_CONFIG_NOSYSTEM=1", "HOME=" + i.dir.path().string()});
  i.nginx = child_process({"nginx", "-p", i.dir.path().string(), "-c", conf}, log);
  wait_for(i.port, i.nginx, log);
}

git_http_server::~git_http_server() {
  impl_->nginx.stop();
  impl_->backend.stop();
}

std::uint16_t git_http_server::port() const noexcept { return impl_->port; }
std::string git_http_server::url(const std::string &name) const {
  return fmt::format("{}:{}/{}", impl_->tls.ca.empty() ? "http://127.0.0.1" : "https://localhost", impl_->port, name);
}
std::string git_http_server::ca() const { return impl_->tls.ca; }

std::size_t git_http_server::requests(const std::string &text) const {
  std::ifstream in(impl_->dir.file("access.log"));
  std::size_t n = 0;
  for (std::string line; std::getline(in, line);) n += line.find(text) != line.npos;
  return n;
}

// ---- ssh ----

struct git_ssh_server::impl {
  temp_dir dir;
  std::uint16_t port = free_port();
  std::string user = ::getpwuid(::getuid())->pw_name;
  child_process server;
};

git_ssh_server::git_ssh_server() : impl_(std::make_unique<impl>()) {
  auto &i = *impl_;
  run_program({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", i.dir.file("host")});
  // What Debian's libgit2 can read: its libssh2 takes PEM keys for sure.
  run_program({"ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "", "-f", i.dir.file("key")});
  run_program({"ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "", "-f", i.dir.file("stranger")});
  fs::copy_file(i.dir.file("key.pub"), i.dir.file("authorized"));
  auto host = read_file(i.dir.file("host.pub"));
  i.dir.write("known_hosts", fmt::format("[127.0.0.1]:{} {}", i.port, host));
  const auto conf = i.dir.write(
      "sshd_config",
      fmt::format(
          "Port {}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nUsePAM no\nStrictModes no\n"
          "PasswordAuthentication no\nPermitRootLogin prohibit-password\nPubkeyAcceptedAlgorithms +ssh-rsa,rsa-sha2-256\n",
          i.port, i.dir.file("host"), i.dir.file("authorized")));
  fs::create_directories("/run/sshd");  // sshd wants it, wherever its files are
  const auto log = i.dir.file("sshd.log");
  i.server = child_process({"/usr/sbin/sshd", "-D", "-e", "-f", conf}, log);
  wait_for(i.port, i.server, log);
}

git_ssh_server::~git_ssh_server() { impl_->server.stop(); }

std::string git_ssh_server::url(const std::string &path) const {
  return fmt::format("ssh://{}@127.0.0.1:{}{}", impl_->user, impl_->port, path);
}
std::string git_ssh_server::key() const { return impl_->dir.file("key"); }
std::string git_ssh_server::stranger_key() const { return impl_->dir.file("stranger"); }
std::uint16_t git_ssh_server::port() const noexcept { return impl_->port; }
std::string git_ssh_server::known_hosts() const { return impl_->dir.file("known_hosts"); }

}  // namespace corbel::test
