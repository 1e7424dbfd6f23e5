#pragma once
/// Owns: which commit is current of a bundle, as the link <root>/bundles/<bundle>/current says it: what a process finds when
/// it starts, also while no server can be reached. Callers: the jobs of corbel-git. Thread: one. Blocks.

#include "bundle/blocking/store.hpp"

#include <filesystem>
#include <optional>
#include <set>
#include <string>

namespace corbel::detail {

/// Where a bundle's link leads to.
struct current_commit {
  std::string repository;  ///< name of its folder under repos/
  std::string commit, subdir;
  bool with_submodules = false;
  friend bool operator==(const current_commit &, const current_commit &) = default;
  friend auto operator<=>(const current_commit &, const current_commit &) = default;
};

std::optional<current_commit> read_current(const std::filesystem::path &root, const std::string &id);
/// At once for every reader, and synced. True when it was something else before. note: what is kept beside it, a JSON text.
/// Throws failure.
bool switch_current(const std::filesystem::path &root, const std::string &id, const current_commit &to,
                    const std::string &note);
/// The bundle is known no more. False when it was not known. Throws failure.
bool forget_current(const std::filesystem::path &root, const std::string &id);
/// Of all bundles.
std::set<current_commit> all_current(const std::filesystem::path &root);

}  // namespace corbel::detail
