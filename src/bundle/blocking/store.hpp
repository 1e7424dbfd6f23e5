#pragma once
/// Where things lie under a root, and the few ways to touch the disk so that a process killed at any moment leaves it whole.
///
///     <root>/repos/<repository>/git/                 the bare mirror; `lock` beside it is held while it is written
///                               files/ab/<38>.r|.x   one link to every file of a commit, by its blob and whether it is a
///                               program commits/<40>/        a whole commit, read-only; `<40>.lock` is held shared by who
///                               uses it and
///                                                    alone by who makes or removes it; `<40>.files` lists what is in it
///                               commits/spare        links to the files of the commit made last, for the next one; what is
///                                                    in it is in `spare.files`; `make.lock` guards both
///                               modules/             the same for commits with their submodules in them
///                               commits/.<40>.new    one that is being made; .old: one that is being removed
///     <root>/bundles/<bundle>/current                symbolic link to the bundle's folder in its current commit
///                             source.json            what it was made from
///
/// Callers: the jobs of corbel-git. Thread: one. Blocks.

#include <corbel/result.hpp>

#include <filesystem>
#include <string>
#include <string_view>

namespace corbel::detail {

struct repository_place {
  std::filesystem::path folder;
  bool with_submodules = false;  ///< its commits are those with their submodules in them
  std::filesystem::path mirror() const { return folder / "git"; }
  std::filesystem::path mirror_lock() const { return folder / "lock"; }
  std::filesystem::path files() const { return folder / "files"; }
  std::filesystem::path commits() const { return folder / (with_submodules ? "modules" : "commits"); }
  std::filesystem::path commit(std::string_view id) const { return commits() / id; }
  std::filesystem::path commit_lock(std::string_view id) const { return commits() / (std::string(id) + ".lock"); }
  std::filesystem::path commit_files(std::string_view id) const { return commits() / (std::string(id) + ".files"); }
  std::filesystem::path unfinished(std::string_view id) const { return commits() / ("." + std::string(id) + ".new"); }
  std::filesystem::path unfinished_files(std::string_view id) const {
    return commits() / ("." + std::string(id) + ".files.new");
  }
  std::filesystem::path make_lock() const { return commits() / "make.lock"; }
  std::filesystem::path spare() const { return commits() / "spare"; }
  std::filesystem::path spare_files() const { return commits() / "spare.files"; }
  std::filesystem::path spare_unfinished() const { return commits() / "spare.new"; }
  std::filesystem::path removing(std::string_view id) const { return commits() / ("." + std::string(id) + ".old"); }
};

/// What the system said last: unavailable, source "os", native the errno's name. ENOSPC and EDQUOT are named as a full disk.
error disk_error(std::string_view what, const std::filesystem::path &where);

/// Makes a folder and those above it. Throws failure.
void make_folders(const std::filesystem::path &path);
/// The folder's entries are on the disk when it returns. Throws failure.
void sync_folder(const std::filesystem::path &path);
/// Writes a file, not synced. Throws failure.
void write_fresh(const std::filesystem::path &path, std::string_view text);
/// A file appears under its name whole, and synced. The caller has the lock of what it belongs to. Throws failure.
void write_whole(const std::filesystem::path &path, std::string_view text);
/// Removes a folder with all that is in it, read-only or not; follows no link. What cannot be removed stays.
void remove_tree(const std::filesystem::path &path) noexcept;

}  // namespace corbel::detail
