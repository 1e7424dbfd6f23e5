#include "bundle/blocking/commit_hold.hpp"

#include "bundle/blocking/file_list.hpp"
#include "bundle/blocking/spare.hpp"

#include <fcntl.h>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

namespace corbel::detail {

namespace fs = std::filesystem;

namespace {

/// The folder has its name only when it is whole; the list came before it.
std::optional<checkout_figures> figures_of(const repository_place &place, const std::string &commit) {
  std::error_code ec;
  if (!fs::is_directory(place.commit(commit), ec)) return {};
  std::ifstream in(place.commit_files(commit), std::ios::binary);
  std::string head;
  std::getline(in, head, '\0');
  return file_list::read_head(head += '\0');
}

}  // namespace

std::optional<held_commit> hold_existing(const repository_place &place, const std::string &commit) {
  std::error_code ec;
  if (!fs::is_directory(place.commit(commit), ec)) return {};
  // Only who removes it, or looks whether it may be, is waited for: that is short.
  auto lock = file_lock::wait(place.commit_lock(commit), file_lock::mode::shared);
  auto figures = figures_of(place, commit);
  if (!figures) return {};
  return held_commit{std::move(lock), *figures, false};
}

result<held_commit> hold_commit(const git_mirror &mirror, const repository_place &place, const std::string &commit,
                                const checkout_limits &limits,
                                const std::function<void(std::uint64_t files, std::uint64_t bytes)> &progress) {
  const auto found = [&]() -> std::optional<held_commit> {
    auto there = hold_existing(place, commit);
    if (there) there->lock.touch();
    return there;
  };
  if (auto there = found()) return std::move(*there);
  // One makes at a time. Who waits here does not wait on the commit's own lock, which readers hold as long as they like.
  auto making = file_lock::wait(place.make_lock(), file_lock::mode::alone);
  const auto name = place.commit_lock(commit);
  for (;;) {
    if (auto there = found()) return std::move(*there);
    auto lock = file_lock::wait(name, file_lock::mode::alone);
    // A list without folder is overwritten, a folder without list is not whole.
    remove_tree(place.commit(commit));
    auto made = make_checkout(mirror, place, commit, limits, progress);
    if (!made) {
      ::unlink(place.commit_files(commit).c_str());
      ::unlink(name.c_str());
      return made.error();
    }
    lock.touch();
    if (lock.share(name) && figures_of(place, commit))
      return held_commit{std::move(lock), made->figures, true, std::move(made->unshared), std::move(making)};
  }
}

void share_commit(const repository_place &place, const std::string &commit, held_commit &held) {
  const int top = ::open(place.commit(commit).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const shared_files shared(place.files());
  for (const auto &e : held.unshared) shared.offer(e, top);
  if (top >= 0) ::close(top);
  prepare_spare(place, commit);
  held.unshared.clear();
  held.making.release();
}

std::uint64_t repair_commit(const git_mirror &mirror, const repository_place &place, const std::string &commit) {
  const auto list = read_file_list(place.commit_files(commit));
  if (!list) throw failure(error(status::internal, "the list of a commit's files cannot be read", "bundle", "LIST"));
  const auto folder = place.commit(commit);
  if (find_spoiled(*list, folder).empty()) return 0;
  // One repairs at a time; readers go on, for each file changes from spoiled to whole at once.
  const auto lock = file_lock::wait(place.commits() / "repair.lock", file_lock::mode::alone);
  const shared_files shared(place.files());
  const auto spoiled = find_spoiled(*list, folder);
  for (const auto *f : spoiled) {
    const auto parent = (folder / f->entry.path).parent_path();
    shared.forget(f->entry);
    ::chmod(parent.c_str(), 0755);
    git_entry fresh = f->entry;
    fresh.path = ".corbel.repair";
    const int top = ::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (top < 0) throw failure(disk_error("cannot open the folder", parent));
    ::unlinkat(top, fresh.path.c_str(), 0);
    auto read = read_git_blob(mirror, f->entry.id, UINT64_MAX, [&](std::string_view content) {
      const bool is_link = f->entry.kind == git_entry_kind::link;
      const bool made = is_link ? ::symlinkat(std::string(content).c_str(), top, fresh.path.c_str()) == 0
                                : write_blob_file(top, fresh, content, true);
      if (!made) return disk_error("cannot write", folder / f->entry.path);
      const auto name = fs::path(f->entry.path).filename();
      if (::renameat(top, fresh.path.c_str(), top, name.c_str()) != 0)
        return disk_error("cannot write", folder / f->entry.path);
      return error();
    });
    ::fsync(top);
    ::close(top);
    ::chmod(parent.c_str(), 0555);
    if (!read) throw failure(read.error());
  }
  return spoiled.size();
}

}  // namespace corbel::detail
