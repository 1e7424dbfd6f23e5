#pragma once
/// What names and paths of a repository may be, so that nothing of it lands or leads outside its own folder. Pure; any
/// thread. Errors are status::refused or status::invalid with a text for one line.

#include <corbel/result.hpp>

#include <map>
#include <string>
#include <string_view>

namespace corbel::detail {

/// Success for an id of 1 to 200 characters without control characters, that begins with none of '-', '.' and '/'.
error check_bundle_id(std::string_view id);

/// The subfolder of a bundle as "a/b"; empty for the whole repository. Refused: absolute, "..", ".git", control characters.
result<std::string> clean_subdir(std::string_view subdir);

/// Success for a path that a file or folder of a commit may have: no empty, "." or ".." part, none that is read as ".git",
/// no control character; a part up to 255 bytes, the whole up to most_path.
error check_entry_path(std::string_view path, std::size_t most_path);

/// Success when all symbolic links, from path to target, stay inside, whatever other links they pass through.
error check_links(const std::map<std::string, std::string, std::less<>> &links);

}  // namespace corbel::detail
