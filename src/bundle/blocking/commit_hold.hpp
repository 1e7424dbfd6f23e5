#pragma once
/// Owns: the right to use a commit's folder: it is there, whole, and not removed while this lives in any process. Callers:
/// the jobs of corbel-git. Thread: one. Blocks.

#include "bundle/blocking/checkout.hpp"
#include "bundle/blocking/file_lock.hpp"

#include <optional>
#include <string>

namespace corbel::detail {

struct held_commit {
  file_lock lock;
  checkout_figures figures;
  bool built = false;  ///< by us, now
};

/// What is there already; nothing when it is not there, or is just being removed.
std::optional<held_commit> hold_existing(const repository_place &place, const std::string &commit);
/// Makes it where it is not there. Who waits for another process that makes it gets what that one made.
result<held_commit> hold_commit(const git_mirror &mirror, const repository_place &place, const std::string &commit,
                                const checkout_limits &limits,
                                const std::function<void(std::uint64_t files, std::uint64_t bytes)> &progress);
/// Files of a held commit that somebody wrote to are made anew, each at once. How many there were. Throws failure.
std::uint64_t repair_commit(const git_mirror &mirror, const repository_place &place, const std::string &commit);

}  // namespace corbel::detail
