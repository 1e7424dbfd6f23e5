#include "git/blocking/local_packs.hpp"

#include <boost/url/parse.hpp>

#include <algorithm>
#include <fcntl.h>
#include <filesystem>
#include <git2.h>
#include <string_view>
#include <unistd.h>
#include <vector>

namespace corbel::detail {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t most_loose = 20'000;

struct source_file {
  fs::path name;  // under the folder of objects
  std::uint64_t bytes = 0;
};

std::string path_of(const git_location &l) {
  if (l.url.starts_with('/')) return l.url;
  const auto url = boost::urls::parse_uri(l.url);
  return url ? std::string(url->path()) : std::string();
}

fs::path objects_of(const std::string &repository) {
  git_repository *opened = nullptr;
  if (::git_repository_open_ext(&opened, repository.c_str(), GIT_REPOSITORY_OPEN_NO_SEARCH, nullptr) < 0) return {};
  const std::unique_ptr<git_repository, git_free<git_repository_free>> keep(opened);
  if (::git_repository_is_shallow(opened) != 0) return {};
  return fs::path(::git_repository_commondir(opened)) / "objects";
}

bool is_loose_folder(const std::string &name) {
  return name.size() == 2 && name.find_first_not_of("0123456789abcdef") == name.npos;
}

/// An index after its pack: a pack that is seen with its index is whole. Empty where not all of it can be had so.
std::vector<source_file> list_files(const fs::path &objects) {
  std::vector<source_file> packs, indexes, loose;
  if (fs::exists(objects / "info/alternates")) return {};
  for (const auto &entry : fs::directory_iterator(objects)) {
    const auto folder = entry.path().filename().string();
    const bool is_pack = folder == "pack";
    if (!is_pack && !is_loose_folder(folder)) continue;
    for (const auto &file : fs::directory_iterator(entry.path())) {
      const auto name = file.path().filename().string();
      const source_file found{fs::path(folder) / name, file.file_size()};
      if (is_pack) {
        const bool is_index = name.starts_with("pack-") && name.ends_with(".idx");
        if (is_index) indexes.push_back(found);
        if (is_index) packs.push_back({fs::path(found.name).replace_extension(".pack"), 0});
      } else if (name.size() == 38) {
        loose.push_back(found);
      }
      if (loose.size() > most_loose) return {};
    }
  }
  for (auto &p : packs) p.bytes = fs::file_size(objects / p.name);
  packs.insert(packs.end(), loose.begin(), loose.end());
  packs.insert(packs.end(), indexes.begin(), indexes.end());
  return packs;
}

/// Under its name only when it is whole, and on the disk.
void copy_whole(const fs::path &from, const fs::path &to) {
  const auto fresh = to.parent_path() / ("tmp_" + to.filename().string());
  fs::copy_file(from, fresh, fs::copy_options::overwrite_existing);
  fs::permissions(fresh, fs::perms::owner_read | fs::perms::group_read | fs::perms::others_read);
  const int fd = ::open(fresh.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = fd >= 0 && ::fdatasync(fd) == 0;
  if (fd >= 0) ::close(fd);
  if (!synced) throw fs::filesystem_error("cannot sync", fresh, std::error_code(errno, std::generic_category()));
  fs::rename(fresh, to);
}

bool holds_nothing(const fs::path &objects) {
  std::error_code ec;
  for (const auto &file : fs::directory_iterator(objects / "pack", ec))
    if (file.path().extension() == ".idx") return false;
  return true;
}

}  // namespace

bool copy_local_packs(const git_location &from, const git_mirror &to, std::uint64_t most_bytes,
                      const copied_function &told) {
  if (from.transport != git_transport::file) return false;
  const auto target = fs::path(::git_repository_path(to.get())) / "objects";
  const auto source = objects_of(path_of(from));
  if (source.empty() || !holds_nothing(target)) return false;
  try {
    const auto files = list_files(source);
    std::uint64_t all = 0, done = 0;
    for (const auto &f : files) all += f.bytes;
    if (files.empty() || all > most_bytes) return false;
    for (const auto &f : files) {
      fs::create_directories((target / f.name).parent_path());
      copy_whole(source / f.name, target / f.name);
      told(done += f.bytes);
    }
  } catch (const fs::filesystem_error &) {
    return false;  // a full disk fails the ordinary way too, which says so
  }
  git_odb *odb = nullptr;
  if (::git_repository_odb(&odb, to.get()) < 0) return false;
  const bool seen = ::git_odb_refresh(odb) == 0;
  ::git_odb_free(odb);
  return seen;
}

}  // namespace corbel::detail
