#include "bundle/blocking/prune.hpp"

#include "bundle/blocking/current.hpp"
#include "bundle/blocking/file_list.hpp"
#include "bundle/blocking/file_lock.hpp"
#include "bundle/blocking/shared_files.hpp"
#include "bundle/blocking/spare.hpp"
#include "git/revision.hpp"

#include <algorithm>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

namespace corbel::detail {

namespace fs = std::filesystem;

namespace {

std::vector<std::string> names_in(const fs::path &folder) {
  std::vector<std::string> out;
  std::error_code ec;
  for (fs::directory_iterator at(folder, ec), end; !ec && at != end; at.increment(ec)) out.push_back(at->path().filename());
  return out;
}

std::uint64_t bytes_of(const repository_place &place, const std::string &commit) {
  std::ifstream in(place.commit_files(commit), std::ios::binary);
  std::string head;
  std::getline(in, head, '\0');
  const auto figures = file_list::read_head(head += '\0');
  return figures ? figures->bytes : 0;
}

std::chrono::system_clock::time_point used_at(const fs::path &lock) {
  struct stat s;
  return std::chrono::system_clock::from_time_t(::stat(lock.c_str(), &s) == 0 ? s.st_mtime : 0);
}

/// False when somebody uses it.
bool remove_commit(const repository_place &place, const std::string &commit) {
  const auto name = place.commit_lock(commit);
  const auto lock = file_lock::attempt(name, file_lock::mode::alone);
  if (!lock) return false;
  // First the name goes: from then on it is not there, whatever happens to us.
  if (::rename(place.commit(commit).c_str(), place.removing(commit).c_str()) != 0 && errno != ENOENT) return false;
  ::unlink(place.commit_files(commit).c_str());
  remove_tree(place.removing(commit));
  ::unlink(name.c_str());
  return true;
}

/// What only a process at work has: begun or half removed, under a name with a dot.
bool is_unfinished(std::string_view name) {
  return name.starts_with('.') && (name.ends_with(".new") || name.ends_with(".old"));
}

}  // namespace

void sweep_leftovers(const repository_place &place) {
  for (const auto &name : names_in(place.commits())) {
    const bool unfinished = is_unfinished(name);
    if (place.commits() / name == place.spare_unfinished())
      if (const auto making = file_lock::attempt(place.make_lock(), file_lock::mode::alone)) drop_spare(place);
    const auto commit = name.substr(unfinished ? 1 : 0, 40);
    std::error_code ec;
    const auto is_there = [&] { return fs::exists(place.commit(commit), ec); };
    if (!is_full_commit(commit) || (!unfinished && is_there())) continue;
    // Who makes or removes the commit has this lock.
    const auto lock = file_lock::attempt(place.commit_lock(commit), file_lock::mode::alone);
    if (!lock) continue;
    if (unfinished) remove_tree(place.commits() / name);
    if (is_there()) continue;
    ::unlink(place.commit_files(commit).c_str());
    ::unlink(place.commit_lock(commit).c_str());
  }
}

std::vector<std::string> prune_commits(const fs::path &root, const repository_place &place, const retention_policy &policy) {
  const auto current = all_current(root);
  std::vector<kept_commit> all;
  for (const auto &name : names_in(place.commits())) {
    if (!is_full_commit(name)) continue;
    const auto lock = file_lock::attempt(place.commit_lock(name), file_lock::mode::alone);
    const bool pinned = !lock || current.contains({place.folder.filename(), name, {}, place.with_submodules});
    all.push_back({name, used_at(place.commit_lock(name)), bytes_of(place, name), pinned});
  }
  std::vector<std::string> removed;
  for (const auto &name : plan_retention(all, policy, std::chrono::system_clock::now()))
    if (remove_commit(place, name)) removed.push_back(name);
  // Nobody uses the repository: nobody needs its next commit soon.
  std::error_code ec;
  if (fs::is_directory(place.commits(), ec) && std::ranges::none_of(all, &kept_commit::pinned))
    if (const auto making = file_lock::attempt(place.make_lock(), file_lock::mode::alone)) drop_spare(place);
  if (!removed.empty()) shared_files(place.files()).sweep();
  return removed;
}

}  // namespace corbel::detail
