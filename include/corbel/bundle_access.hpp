#pragma once
/// How a loader enters repositories whose source brings no credentials of its own. Pure; any thread.
///
///     corbel::bundles loader(rt, {.root = root, .access = corbel::bundle_access_from(corbel::process_environment())});
///
/// With a token, "git@host:path" and "ssh://git@host/path" become "https://host/path", unless the source has a key of its
/// own. The token goes over https only, and to `hosts` only where some are given. It stays in memory, and reaches corbel-git
/// through a pipe: it is in no log, error, argument, file, or environment but the one that it came from.

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace corbel {

struct bundle_access {
  std::string secret = {};              ///< token or password for https
  std::string user = {};                ///< beside it; empty: "x-access-token"
  std::vector<std::string> hosts = {};  ///< that get them; empty: every host that a source names
  std::string ssh_key = {};             ///< path of a private key; empty: the agent of SSH_AUTH_SOCK
  std::string known_hosts = {};         ///< path; empty: ~/.ssh/known_hosts
  std::string ca_file = {};             ///< path of certificate authorities; empty: the system's
};

/// Of GIT_HTTP_TOKEN, GIT_HTTP_USER, GIT_HTTP_HOSTS (names with commas between), GIT_SSH_KEY_PATH, GIT_SSH_KNOWN_HOSTS and
/// GIT_SSL_CAINFO. Host keys are always checked, whatever GIT_SSH_STRICT_HOST_KEY_CHECKING says.
bundle_access bundle_access_from(const std::function<std::optional<std::string>(const std::string &name)> &variables);

}  // namespace corbel
