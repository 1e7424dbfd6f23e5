#include "bundle/blocking/store.hpp"

#include "bundle/blocking/sync_all.hpp"
#include "io/os_error.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace corbel::detail {

namespace fs = std::filesystem;

error disk_error(std::string_view what, const fs::path &where) {
  const boost::system::error_code ec(errno, boost::system::system_category());
  return os_error(status::unavailable, fmt::format("{} {}", what, where.string()), ec);
}

void make_folders(const fs::path &path) {
  std::error_code ec;
  fs::create_directories(path, ec);
  if (!ec) return;
  errno = ec.value();
  throw failure(disk_error("cannot make the folder", path));
}

void sync_folder(const fs::path &path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool ok = fd >= 0 && ::fsync(fd) == 0;
  const int code = errno;
  if (fd >= 0) ::close(fd);
  errno = code;
  if (!ok) throw failure(disk_error("cannot sync", path));
}

void write_fresh(const fs::path &path, std::string_view text) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
  if (fd < 0) throw failure(disk_error("cannot write", path));
  bool ok = true;
  while (ok && !text.empty()) {
    const auto n = ::write(fd, text.data(), text.size());
    ok = n >= 0 || errno == EINTR;
    if (n > 0) text.remove_prefix(static_cast<std::size_t>(n));
  }
  const int code = errno;
  ok = ::close(fd) == 0 && ok;
  if (ok) return;
  ::unlink(path.c_str());
  errno = code;
  throw failure(disk_error("cannot write", path));
}

void write_whole(const fs::path &path, std::string_view text) {
  const auto fresh = path.parent_path() / ("." + path.filename().string() + ".new");
  write_fresh(fresh, text);
  if (auto why = sync_all(AT_FDCWD, "", {fresh})) throw failure(why);
  if (::rename(fresh.c_str(), path.c_str()) == 0) return sync_folder(path.parent_path());
  const int code = errno;
  ::unlink(fresh.c_str());
  errno = code;
  throw failure(disk_error("cannot write", path));
}

void remove_tree(const fs::path &path) noexcept {
  try {
    std::error_code ec;
    if (fs::is_directory(fs::symlink_status(path, ec))) {
      ::chmod(path.c_str(), 0700);
      fs::recursive_directory_iterator at(path, ec);
      for (const fs::recursive_directory_iterator end; !ec && at != end; at.increment(ec)) {
        std::error_code ignored;
        if (fs::is_directory(at->symlink_status(ignored))) ::chmod(at->path().c_str(), 0700);
      }
    }
    fs::remove_all(path, ec);
  } catch (const std::exception &) {
    // Out of memory: it stays, and the next sweep finds it.
  }
}

}  // namespace corbel::detail
