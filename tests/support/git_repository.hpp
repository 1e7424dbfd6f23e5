#pragma once
/// A git repository of a test's own: bare, filled by the git program, apart from the library under test.
///
///     git_repository repo;
///     auto first = repo.commit({{"app/main.py", "print(1)"}});
///     loader.load({.id = "app", .url = repo.url()});
///
/// Thread: one at a time.

#include "support/temp_dir.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace corbel::test {

class git_repository {
 public:
  git_repository();

  const temp_dir &directory() const noexcept { return dir_; }
  std::string path() const { return dir_.file("app.git"); }
  std::string url() const { return "file://" + path(); }

  /// Writes these files (nothing: removes it; a name that ends in '*' is made executable) on the branch, commits, pushes by
  /// force. Returns the commit.
  std::string commit(const std::map<std::string, std::optional<std::string>> &files, const std::string &branch = "main");
  /// A commit of files "d<i>/f<j>" with random content of so many bytes each.
  std::string commit_many(unsigned files, std::size_t bytes_each, unsigned seed = 1);
  /// Makes "name" a symbolic link in the next commit.
  void link(const std::string &name, const std::string &target);
  void tag(const std::string &name, bool annotated);
  /// Any git command in the work tree; what it printed.
  std::string git(std::vector<std::string> arguments);

 private:
  std::string tree() const { return dir_.file("tree"); }
  temp_dir dir_;
};

/// git http-backend behind nginx on a free port: serves all repositories of a folder.
class git_http_server {
 public:
  /// password: empty for none; the user is then "ada" or "x-access-token". tls: https, as localhost.
  explicit git_http_server(const std::string &folder, const std::string &password = "", bool tls = false);
  ~git_http_server();
  git_http_server(const git_http_server &) = delete;
  git_http_server &operator=(const git_http_server &) = delete;
  std::string url(const std::string &name = "app.git") const;
  std::uint16_t port() const noexcept;
  std::string ca() const;  ///< path of the authority of its certificate
  /// Requests so far whose line holds the text.
  std::size_t requests(const std::string &text = "") const;

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

/// sshd on a free port with a host key and a user's key of its own.
class git_ssh_server {
 public:
  git_ssh_server();
  ~git_ssh_server();
  git_ssh_server(const git_ssh_server &) = delete;
  git_ssh_server &operator=(const git_ssh_server &) = delete;
  std::string url(const std::string &path) const;
  std::string key() const;           ///< path of the private key that it lets in
  std::string stranger_key() const;  ///< of one that it does not let in
  std::string known_hosts() const;   ///< path of a file that holds its host key
  std::uint16_t port() const noexcept;

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace corbel::test
