#pragma once
/// Owns: the spare folder of a repository: links to all files of the commit that was made last, so that the next one is made
/// by changing what differs, however many files there are. Callers: who holds the commits' make.lock. Thread: one. Blocks.

#include "bundle/blocking/file_list.hpp"
#include "bundle/blocking/store.hpp"

#include <set>
#include <string>
#include <vector>

namespace corbel::detail {

/// What a new folder holds already, of what it shall hold and nothing else.
struct begun_folder {
  std::set<std::string, std::less<>> folders;
  std::vector<bool> files;                     ///< which of the list are there; empty: none
  std::set<std::string, std::less<>> changed;  ///< folders that lost something, writable; "." is the top
};

/// Makes the folder `fresh`: out of the spare one, if that is exactly as it was made, else empty. The spare one is gone
/// then. wanted: gets the sizes of those that are there. Throws failure.
begun_folder begin_folder(const repository_place &place, const std::filesystem::path &fresh, file_list &wanted,
                          const std::vector<std::string> &folders);

/// Makes the spare folder anew from a commit that is held. Where that fails there is none.
void prepare_spare(const repository_place &place, const std::string &commit) noexcept;

/// Removes it, and what a killed process had begun of it.
void drop_spare(const repository_place &place) noexcept;

}  // namespace corbel::detail
