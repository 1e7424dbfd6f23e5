#pragma once
/// Owns: reading the files of a commit out of a mirror, raw: no filter, no line-end conversion, no attribute of the
/// repository counts. Thread: one. Blocks on the disk.

#include "git/blocking/mirror.hpp"

#include <corbel/result.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace corbel::detail {

enum class git_entry_kind { file, program, link, folder, submodule };

struct git_entry {
  git_entry_kind kind = git_entry_kind::file;
  std::string path;  ///< from the commit's root, '/' between names; as the repository has it: check it
  std::string id;    ///< of its content: 40 hexadecimal digits
};

/// Calls `each` for every entry, a folder before what is in it. The first error ends it. into_submodules: they are walked
/// too, as folders; the mirror must have their commits.
result<void> walk_git_tree(const git_mirror &mirror, const std::string &commit, bool into_submodules,
                           const std::function<error(const git_entry &)> &each);

/// Gives the content of a file or link in one piece. most: bytes; more is an error of status::protocol, native TOO_LARGE.
result<void> read_git_blob(const git_mirror &mirror, const std::string &id, std::uint64_t most,
                           const std::function<error(std::string_view)> &take);

}  // namespace corbel::detail
