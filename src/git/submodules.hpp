#pragma once
/// What a repository says about the repositories that are parts of it: its file .gitmodules. Pure; any thread.

#include "git/location.hpp"

#include <corbel/result.hpp>

#include <map>
#include <string>
#include <string_view>

namespace corbel::detail {

/// The URLs as they stand there, by path. What cannot be read is left out: the path then has none.
std::map<std::string, std::string> read_gitmodules(std::string_view text);

/// Where a submodule of `parent` is; "./x" and "../x" begin at the parent's URL. Refused: what leads to a folder of this
/// machine out of a repository elsewhere. The URL of what comes back holds no password.
result<git_location> submodule_location(const git_location &parent, std::string_view url);

}  // namespace corbel::detail
