#pragma once
/// How a repository is entered. Kept in memory only: it goes to the program that fetches through a pipe, and into no log,
/// error, argument, environment variable or file.

#include <string>

namespace corbel::detail {

struct git_access {
  std::string user;         ///< empty: the URL's; for https with a secret "x-access-token", for ssh "git"
  std::string secret;       ///< password or token of http and https; passphrase of an ssh key
  std::string ssh_key;      ///< path of a private key; empty: the agent of SSH_AUTH_SOCK
  std::string known_hosts;  ///< path; empty: ~/.ssh/known_hosts
  std::string ca_file;      ///< path of certificate authorities; empty: the system's
  friend bool operator==(const git_access &, const git_access &) = default;
};

}  // namespace corbel::detail
