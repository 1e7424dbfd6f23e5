#pragma once
/// Where a repository is, checked before anything connects. Pure; any thread.
///
/// Taken are https://, http://, ssh:// and file:// URLs, "user@host:path" and absolute paths. What could be read as an
/// option, other schemes and control characters are refused. A password never stays in the URL: it comes out apart.

#include <corbel/result.hpp>

#include <string>
#include <string_view>

namespace corbel::detail {

enum class git_transport { https, http, ssh, file };

struct git_location {
  git_transport transport = git_transport::https;
  std::string url = {};                  ///< as it is connected to and shown: without password
  std::string user = {}, password = {};  ///< that the URL held, percent-decoded; mostly empty
  std::string host = {};                 ///< empty for files
  std::string name = {};                 ///< the path's last segment without ".git"
  /// Equal for what is the same repository, however its URL is written: the mirror's key.
  std::string identity = {};
};

/// Errors are status::invalid, native "URL", and never hold the password.
result<git_location> read_git_location(std::string_view text);

}  // namespace corbel::detail
