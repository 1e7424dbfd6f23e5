#pragma once
/// Owns: the right to use a commit's folder: it is there, whole, and not removed while this lives in any process. Callers:
/// the jobs of corbel-git. Thread: one. Blocks.

#include "bundle/blocking/checkout.hpp"
#include "bundle/blocking/file_lock.hpp"

#include <optional>
#include <string>
#include <vector>

namespace corbel::detail {

struct held_commit {
  file_lock lock;
  checkout_figures figures;
  bool built = false;  ///< by us, now
  std::vector<git_entry> unshared = {};
  file_lock making = {};  ///< until share_commit: who makes the next commit waits for what this one can share
};

/// What is there already; nothing when it is not there, or is just being removed.
std::optional<held_commit> hold_existing(const repository_place &place, const std::string &commit);
/// Makes it where it is not there. Who waits for another process that makes it gets what that one made.
result<held_commit> hold_commit(const git_mirror &mirror, const repository_place &place, const std::string &commit,
                                const checkout_limits &limits,
                                const std::function<void(std::uint64_t files, std::uint64_t bytes)> &progress);
/// What was left for later when it was made: its files may be shared from now on, and the next commit's folder is prepared.
void share_commit(const repository_place &place, const std::string &commit, held_commit &held);
/// Files of a held commit that somebody wrote to are made anew, each at once. How many there were. Throws failure.
std::uint64_t repair_commit(const git_mirror &mirror, const repository_place &place, const std::string &commit);

}  // namespace corbel::detail
