#include "bundle/blocking/platform_copy.hpp"

#include "bundle/blocking/file_lock.hpp"
#include "git/blocking/work_tree.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <linux/fs.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

namespace corbel::detail {

namespace fs = std::filesystem;

namespace {

constexpr const char *marker_name = ".kdcube.git-bundle.json";
constexpr std::chrono::milliseconds poll{250};
constexpr std::chrono::hours old{1};

std::string read_file(const fs::path &path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

file_lock take_lock(const platform_copy &what) {
  const auto folder = what.managed / ".bundle-locks";
  make_folders(folder);
  const auto file = folder / platform_lock_file(what.marker.bundle_id, what.marker.git_ref);
  for (const auto until = std::chrono::steady_clock::now() + what.patience;;) {
    if (auto lock = file_lock::attempt(file, file_lock::mode::alone)) return lock;
    if (std::chrono::steady_clock::now() >= until)
      throw failure(error(status::timeout, fmt::format("another process holds {}", file.string()), "bundle", "LOCK",
                          error::retriable));
    std::this_thread::sleep_for(poll);
  }
}

bool is_current(const platform_copy &what, const fs::path &folder) {
  return read_file(folder / marker_name) == what.marker.text() && head_of_work_tree(folder) == what.marker.commit;
}

/// Writable copies of all files; links as they are.
void copy_files(const fs::path &from, const fs::path &to) {
  fs::create_directory(to);
  for (const auto &entry : fs::directory_iterator(from)) {
    const auto target = to / entry.path().filename();
    if (entry.is_symlink()) {
      fs::copy_symlink(entry.path(), target);
    } else if (entry.is_directory()) {
      copy_files(entry.path(), target);
    } else {
      fs::copy_file(entry.path(), target);
      fs::permissions(target, fs::perms::owner_write, fs::perm_options::add);
    }
  }
}

/// The new one gets the name; what had it gets the new one's.
void exchange(const fs::path &fresh, const fs::path &name) {
  if (::rename(fresh.c_str(), name.c_str()) == 0) return;
  if (::syscall(SYS_renameat2, AT_FDCWD, fresh.c_str(), AT_FDCWD, name.c_str(), RENAME_EXCHANGE) == 0) return;
  // Shared file systems may not know how to exchange.
  const auto aside = fresh.string() + "-old";
  if (::rename(name.c_str(), aside.c_str()) != 0 || ::rename(fresh.c_str(), name.c_str()) != 0)
    throw failure(disk_error("cannot name", name));
}

void sweep(const platform_copy &what, const std::string &begin) {
  std::error_code ec;
  for (fs::directory_iterator at(what.managed, ec), end; !ec && at != end; at.increment(ec)) {
    if (!at->path().filename().string().starts_with(begin)) continue;
    std::error_code ignored;
    const auto time = fs::last_write_time(at->path(), ignored);
    if (!ignored && fs::file_time_type::clock::now() - time > old) remove_tree(at->path());
  }
}

}  // namespace

bool keep_platform_copy(const platform_copy &what, const repository_place &place) {
  const auto &m = what.marker;
  if (m.bundle_id.find('/') != m.bundle_id.npos)
    throw failure(error(status::invalid, "in the platform's layout a bundle's id has no '/'", "bundle", "ID", error::fatal));
  const auto name = platform_folder(what.repository, m.bundle_id, m.git_ref);
  const auto folder = what.managed / name;
  if (is_current(what, folder)) return false;
  const auto lock = take_lock(what);
  if (is_current(what, folder)) return false;
  const auto begin = "." + name + ".tmp-";
  sweep(what, begin);
  const auto time = std::chrono::steady_clock::now().time_since_epoch().count();
  const auto fresh = what.managed / fmt::format("{}{}-{}", begin, ::getpid(), time);
  try {
    copy_files(place.commit(m.commit), fresh);
    const auto objects = fs::path("../../..") / fs::relative(place.mirror() / "objects", what.managed);
    if (auto why = make_work_tree(fresh, objects, m.git_url, m.commit)) throw failure(why);
    write_whole(fresh / marker_name, m.text());
    exchange(fresh, folder);
  } catch (const fs::filesystem_error &e) {
    remove_tree(fresh);
    errno = e.code().value();
    throw failure(disk_error("cannot copy to", folder));
  } catch (const failure &) {
    remove_tree(fresh);
    throw;
  }
  // Their age counts from now on, not from when they were made.
  std::error_code ec;
  if (fs::exists(fresh, ec)) fs::last_write_time(fresh, fs::file_time_type::clock::now(), ec);
  return true;
}

}  // namespace corbel::detail
