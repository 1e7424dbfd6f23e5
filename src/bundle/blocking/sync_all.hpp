#pragma once
/// Owns: getting many files and folders onto the disk at once. Those that are asked for together share the disk's flushes;
/// one after the other each has its own. Callers: a job that made them. Thread: one, and some of its own meanwhile. Blocks.

#include <corbel/result.hpp>

#include <string>
#include <vector>

namespace corbel::detail {

/// paths: absolute, or below the folder `top`, whose own is ".". name: of that folder, for the error's text.
error sync_all(int top, const std::string &name, const std::vector<std::string> &paths);

}  // namespace corbel::detail
