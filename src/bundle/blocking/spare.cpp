#include "bundle/blocking/spare.hpp"

#include "bundle/blocking/sync_all.hpp"

#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>
#include <unordered_map>

namespace corbel::detail {

namespace fs = std::filesystem;

namespace {

std::string parent_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == path.npos ? "." : std::string(path.substr(0, slash));
}

/// How many names are in each folder that the list has, which has no empty ones.
std::map<std::string, std::size_t, std::less<>> names_by_folder(const file_list &list) {
  std::map<std::string, std::size_t, std::less<>> out{{".", 0}};
  for (const auto &f : list.files) {
    auto folder = parent_of(f.entry.path);
    for (auto [it, added] = out.try_emplace(folder, 0);; std::tie(it, added) = out.try_emplace(folder, 0)) {
      ++it->second;
      if (!added || folder == ".") break;
      folder = parent_of(folder);
    }
  }
  return out;
}

bool has_names(const fs::path &folder, std::size_t wanted) {
  struct stat s;
  if (::lstat(folder.c_str(), &s) != 0 || !S_ISDIR(s.st_mode)) return false;
  const std::unique_ptr<DIR, int (*)(DIR *)> listed(::opendir(folder.c_str()), ::closedir);
  if (!listed) return false;
  std::size_t n = 0;
  while (::readdir(listed.get())) ++n;
  return n == wanted + 2;  // "." and ".."
}

class spare_change {
 public:
  spare_change(const file_list &before, const fs::path &folder, file_list &wanted, const std::vector<std::string> &folders)
      : before_(before), folder_(folder), wanted_(wanted), wanted_folders_(folders.begin(), folders.end()) {}

  /// Nothing when the folder is not what the list says, or cannot be changed.
  std::optional<begun_folder> run() {
    const auto names = names_by_folder(before_);
    for (const auto &[path, count] : names)
      if (!has_names(folder_ / path, count)) return {};
    if (!find_spoiled(before_, folder_).empty()) return {};
    if (!remove_files()) return {};
    // Deepest first: a folder's name is the begin of those in it.
    for (auto it = names.rbegin(); it != names.rend(); ++it) {
      if (it->first == ".") continue;
      if (wanted_folders_.contains(it->first))
        out_.folders.insert(it->first);
      else if (!open(parent_of(it->first)) || ::rmdir((folder_ / it->first).c_str()) != 0)
        return {};
      else
        out_.changed.erase(it->first);
    }
    return std::move(out_);
  }

 private:
  bool remove_files() {
    std::unordered_map<std::string_view, std::size_t> wanted;
    for (std::size_t i = 0; i < wanted_.files.size(); ++i) wanted.emplace(wanted_.files[i].entry.path, i);
    out_.files.resize(wanted_.files.size());
    for (const auto &f : before_.files) {
      const auto it = wanted.find(f.entry.path);
      const auto *same = it == wanted.end() ? nullptr : &wanted_.files[it->second].entry;
      if (same && same->id == f.entry.id && same->kind == f.entry.kind) {
        out_.files[it->second] = true;
        wanted_.files[it->second].size = f.size;
      } else if (!open(parent_of(f.entry.path)) || ::unlink((folder_ / f.entry.path).c_str()) != 0) {
        return false;
      }
    }
    return true;
  }

  bool open(const std::string &path) {
    return !out_.changed.insert(path).second || ::chmod((folder_ / path).c_str(), 0755) == 0;
  }

  const file_list &before_;
  const fs::path &folder_;
  file_list &wanted_;
  const std::set<std::string, std::less<>> wanted_folders_;
  begun_folder out_;
};

/// All files of the list, as links. False: see errno.
bool link_all(const file_list &list, int from, int to, std::vector<std::string> &folders) {
  for (const auto &[path, count] : names_by_folder(list)) {
    if (path != "." && ::mkdirat(to, path.c_str(), 0755) != 0) return false;
    folders.push_back(path);
  }
  for (const auto &f : list.files)
    if (::linkat(from, f.entry.path.c_str(), to, f.entry.path.c_str(), 0) != 0) return false;
  for (const auto &path : folders)
    if (::fchmodat(to, path.c_str(), 0555, 0) != 0) return false;
  return true;
}

}  // namespace

begun_folder begin_folder(const repository_place &place, const fs::path &fresh, file_list &wanted,
                          const std::vector<std::string> &folders) {
  const auto list = read_file_list(place.spare_files());
  // Without its list it is no spare any more, whatever happens to us.
  ::unlink(place.spare_files().c_str());
  if (list && ::rename(place.spare().c_str(), fresh.c_str()) == 0) {
    if (auto begun = spare_change(*list, fresh, wanted, folders).run()) return std::move(*begun);
    remove_tree(fresh);
  }
  if (::mkdir(fresh.c_str(), 0755) != 0) throw failure(disk_error("cannot make the folder", fresh));
  return {.folders = {}, .files = {}, .changed = {"."}};
}

void prepare_spare(const repository_place &place, const std::string &commit) noexcept try {
  drop_spare(place);
  const auto list = read_file_list(place.commit_files(commit));
  const auto fresh = place.spare_unfinished();
  if (!list || ::mkdir(fresh.c_str(), 0755) != 0) return;
  const int from = ::open(place.commit(commit).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const int to = ::open(fresh.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  std::vector<std::string> made;
  const bool whole = from >= 0 && to >= 0 && link_all(*list, from, to, made) && !sync_all(to, fresh, made);
  for (int fd : {from, to})
    if (fd >= 0) ::close(fd);
  if (!whole || ::rename(fresh.c_str(), place.spare().c_str()) != 0 ||
      ::link(place.commit_files(commit).c_str(), place.spare_files().c_str()) != 0)
    drop_spare(place);
} catch (const std::exception &) {
  drop_spare(place);
}

void drop_spare(const repository_place &place) noexcept {
  ::unlink(place.spare_files().c_str());
  remove_tree(place.spare());
  remove_tree(place.spare_unfinished());
}

}  // namespace corbel::detail
