#pragma once
/// Owns: making the folder of a commit. All of it is written under another name, synced, and only then given its name; files
/// that other commits have too are hard links, most of them made before in the spare folder. Callers: a job that holds the
/// commit's lock alone. Thread: one. Blocks.
///
/// Every file's time of change is made of its blob's id: equal content has an equal time, other content another, so that
/// caches keyed by time and size are right in every commit, and a file that was written to can be told.

#include "bundle/blocking/store.hpp"
#include "git/blocking/tree.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace corbel::detail {

struct checkout_limits {
  std::uint64_t bytes = 0, files = 0, path = 0;
};

struct checkout_figures {
  std::uint64_t files = 0, bytes = 0, linked = 0, repaired = 0;
};

struct made_checkout {
  checkout_figures figures;
  std::vector<git_entry> unshared;  ///< files that no other commit has
};

/// Makes the commit's folder and list. progress: files and bytes so far. Errors of status::refused (native PATH) and
/// status::protocol (TOO_LARGE) are the repository's, OBJECT the mirror's, and those of "os" the disk's.
result<made_checkout> make_checkout(const git_mirror &mirror, const repository_place &place, const std::string &commit,
                                    const checkout_limits &limits,
                                    const std::function<void(std::uint64_t files, std::uint64_t bytes)> &progress);

}  // namespace corbel::detail
