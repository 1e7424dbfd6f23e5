#pragma once
/// Owns: one bare repository that holds what was fetched of one remote. Callers: whoever holds its lock may open with
/// `repair` and fetch; anybody may read. Thread: one. Blocks on the disk.

#include "git/blocking/library.hpp"

#include <git2/repository.h>
#include <memory>
#include <optional>
#include <string>

namespace corbel::detail {

class git_mirror {
 public:
  /// Opens what is there; nothing where there is none or it cannot be read.
  static std::optional<git_mirror> open(const std::string &path);
  /// For the holder of the lock: removes what a killed process has left, and makes the repository where there is none. What
  /// is there but unreadable is made anew.
  static result<git_mirror> repair(const std::string &path);

  bool has(const std::string &commit) const;
  /// The commit behind a tag or commit, as 40 digits.
  result<std::string> commit_of(const std::string &id) const;
  /// The one commit whose id begins so. Errors: refused, native NO_REF or AMBIGUOUS.
  result<std::string> find(const std::string &begin) const;
  /// Keeps a commit findable for the next fetch to build on. name: the remote's ref.
  void keep(const std::string &name, const std::string &commit) const;

  git_repository *get() const noexcept { return repository_.get(); }

 private:
  using pointer = std::unique_ptr<git_repository, git_free<git_repository_free>>;
  explicit git_mirror(pointer p) : repository_(std::move(p)) {}
  pointer repository_;
};

}  // namespace corbel::detail
