#pragma once
/// Owns: the list of what is in a commit's folder, kept beside it. Pure, but for verify.

#include "bundle/blocking/checkout.hpp"
#include "bundle/blocking/shared_files.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace corbel::detail {

struct listed_file {
  git_entry entry;  ///< a file, program or link
  std::uint64_t size = 0;
};

struct file_list {
  std::vector<listed_file> files;
  checkout_figures figures;

  std::string text() const;
  /// Nothing when it is no such list.
  static std::optional<file_list> read(std::string_view text);
  /// Only its head: how many files and bytes.
  static std::optional<checkout_figures> read_head(std::string_view text);
};

/// Nothing when there is no such file, or it is no list.
std::optional<file_list> read_file_list(const std::filesystem::path &file);

/// The files under the folder whose size, mode, kind or time of change is not what it was when they were made.
std::vector<const listed_file *> find_spoiled(const file_list &list, const std::filesystem::path &folder);

}  // namespace corbel::detail
