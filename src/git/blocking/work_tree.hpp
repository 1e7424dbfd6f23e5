#pragma once
/// Owns: making a folder of files a git work tree, for programs that expect one. Thread: one. Blocks on the disk.

#include "git/blocking/mirror.hpp"

#include <corbel/result.hpp>

#include <string>

namespace corbel::detail {

/// Gives the folder a .git whose HEAD is the commit and whose remote "origin" is the URL. objects: of a mirror, as seen from
/// <folder>/.git/objects: nothing is copied, so the mirror has to stay.
error make_work_tree(const std::string &folder, const std::string &objects, const std::string &url,
                     const std::string &commit);

/// The commit that HEAD of a folder's .git is; empty where there is none.
std::string head_of_work_tree(const std::string &folder);

}  // namespace corbel::detail
