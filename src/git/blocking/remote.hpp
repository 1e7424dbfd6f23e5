#pragma once
/// Owns: one connection to a remote repository: what it advertises, and a fetch of exactly what is asked for into the
/// mirror. Callers: a fetching job. Thread: one. Blocks for as long as the peer likes: whoever starts the process bounds it.

#include "git/access.hpp"
#include "git/blocking/mirror.hpp"
#include "git/location.hpp"
#include "git/revision.hpp"

#include <cstdint>
#include <functional>
#include <git2/remote.h>
#include <memory>
#include <string>
#include <vector>

namespace corbel::detail {

struct git_progress {
  std::uint64_t objects = 0, of_objects = 0, bytes = 0;
};

class git_remote_link {
 public:
  using progress_function = std::function<void(const git_progress &)>;

  /// The references must outlive the link.
  git_remote_link(const git_location &where, const git_access &access, progress_function progress);
  ~git_remote_link();
  git_remote_link(const git_remote_link &) = delete;
  git_remote_link &operator=(const git_remote_link &) = delete;

  /// Connects, through the mirror given, which may be none yet: then through one in memory that is only good for list().
  result<void> connect(const git_mirror *mirror);
  result<std::vector<git_advertised>> list();
  /// Fetches these refs, or commits by their ids where the server allows it, and nothing else. most_bytes: of what is
  /// received; more is an error of status::protocol, native TOO_LARGE.
  result<void> fetch(const std::vector<std::string> &names, std::uint64_t most_bytes);

 private:
  struct callbacks;
  error failed(int code, const char *what);
  git_remote_callbacks table();
  std::string clean(std::string text) const;

  const git_location &where_;
  const git_access &access_;
  progress_function progress_;
  std::unique_ptr<git_remote, git_free<git_remote_free>> remote_;
  std::uint64_t most_bytes_ = UINT64_MAX;
  unsigned asked_ = 0;  // how often credentials were asked for
  bool too_large_ = false, elsewhere_ = false;
};

}  // namespace corbel::detail
