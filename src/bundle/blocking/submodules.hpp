#pragma once
/// Owns: getting the submodules of a commit, and theirs, into the mirror of its repository: what is read of them is read as
/// folders of the commit. Callers: the loading job. Thread: one. Blocks.

#include "bundle/blocking/fetch.hpp"

namespace corbel::detail {

/// The credentials go to the host that they are for only. Errors: as of fetch_commit; status::refused, native SUBMODULE,
/// where a repository does not say where one is, or has too many.
error fetch_submodules(const repository_place &place, const git_location &where, const git_access &access,
                       const fetched_commit &of, const fetch_limits &limits,
                       const std::function<void(const char *stage, const git_progress &)> &progress);

}  // namespace corbel::detail
