#pragma once
/// Owns: libgit2 in this process: it reads no configuration of the user or the machine, so that no hook, filter, URL rewrite
/// or switched-off check of theirs counts; what it writes is synced. The folder src/git is the only one that includes
/// libgit2, and runs in the program corbel-git only: libgit2 blocks, and a silent peer cannot be interrupted.
/// Callers: mirror, remote, tree. Thread: one.

#include <corbel/result.hpp>

#include <string>
#include <string_view>

namespace corbel::detail {

class git_library {
 public:
  /// home: a private folder; its .ssh/known_hosts, if there is one, tells which host keys are trusted. ca_file: empty for
  /// the system's authorities. Throws failure.
  git_library(const std::string &home, const std::string &ca_file);
  ~git_library();
  git_library(const git_library &) = delete;
  git_library &operator=(const git_library &) = delete;
};

/// What libgit2 said last, after a call returned `code`: unavailable where it may work later, refused where the server said
/// no (native AUTH, CERTIFICATE, NOT_FOUND), protocol where what it sent is no repository.
error git_failure(int code, std::string_view what);

/// Frees a libgit2 object by its own function.
template <auto Free>
struct git_free {
  template <class T>
  void operator()(T *p) const noexcept {
    Free(p);
  }
};

}  // namespace corbel::detail
