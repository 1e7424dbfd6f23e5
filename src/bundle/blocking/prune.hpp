#pragma once
/// Owns: removing what is needed no more: commits by the retention policy, and what killed processes left. Callers: the jobs
/// of corbel-git. Thread: one. Blocks. What is in use by any process is left alone.

#include "bundle/blocking/store.hpp"
#include "bundle/retention.hpp"

#include <string>
#include <vector>

namespace corbel::detail {

/// Folders and files of commits that nobody makes or removes any more.
void sweep_leftovers(const repository_place &place);
/// Returns the commits removed.
std::vector<std::string> prune_commits(const std::filesystem::path &root, const repository_place &place,
                                       const retention_policy &policy);

}  // namespace corbel::detail
