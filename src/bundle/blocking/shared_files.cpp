#include "bundle/blocking/shared_files.hpp"

#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace corbel::detail {

namespace fs = std::filesystem;

namespace {

mode_t mode_of(const git_entry &e) { return e.kind == git_entry_kind::program ? 0555 : 0444; }

}  // namespace

bool is_pristine(const struct stat &s, const git_entry &e) noexcept {
  return S_ISREG(s.st_mode) && (s.st_mode & 07777) == mode_of(e) && s.st_mtim.tv_sec == blob_time(e.id).tv_sec &&
         s.st_mtim.tv_nsec == 0;
}

timespec blob_time(const std::string &id) noexcept {
  std::uint64_t bits = 0;
  std::from_chars(id.data(), id.data() + std::min<std::size_t>(id.size(), 8), bits, 16);
  // Within 2001 and 2018: whole seconds, for not every file system keeps more.
  return {static_cast<time_t>(1'000'000'000 + (bits & 0x1fff'ffff)), 0};
}

bool write_blob_file(int top, const git_entry &e, std::string_view content, bool sync) noexcept {
  const int fd = ::openat(top, e.path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return false;
  bool ok = true;
  while (ok && !content.empty()) {
    const auto n = ::write(fd, content.data(), content.size());
    ok = n >= 0 || errno == EINTR;
    if (n > 0) content.remove_prefix(static_cast<std::size_t>(n));
  }
  const timespec when = blob_time(e.id), times[2] = {when, when};
  ok = ok && ::fchmod(fd, mode_of(e)) == 0 && ::futimens(fd, times) == 0 && (!sync || ::fsync(fd) == 0);
  const int code = errno;
  ok = ::close(fd) == 0 && ok;
  errno = code;
  return ok;
}

fs::path shared_files::path_of(const git_entry &e) const {
  return folder_ / e.id.substr(0, 2) / (e.id.substr(2) + (e.kind == git_entry_kind::program ? ".x" : ".r"));
}

shared_files::outcome shared_files::link(const git_entry &e, int top, std::uint64_t &size) const {
  const auto from = path_of(e);
  if (::linkat(AT_FDCWD, from.c_str(), top, e.path.c_str(), 0) != 0) {
    if (errno == ENOENT || errno == EPERM || errno == EXDEV || errno == EOPNOTSUPP) return outcome::absent;
    if (errno != EMLINK) return outcome::failed;
    ::unlink(from.c_str());  // full: a fresh file takes its place
    return outcome::absent;
  }
  struct stat s;
  if (::fstatat(top, e.path.c_str(), &s, AT_SYMLINK_NOFOLLOW) != 0) return outcome::failed;
  if (is_pristine(s, e)) {
    size = static_cast<std::uint64_t>(s.st_size);
    return outcome::linked;
  }
  ::unlinkat(top, e.path.c_str(), 0);
  ::unlink(from.c_str());
  return outcome::spoiled;
}

void shared_files::offer(const git_entry &e, int top) const {
  const auto to = path_of(e);
  if (::linkat(top, e.path.c_str(), AT_FDCWD, to.c_str(), 0) == 0 || errno != ENOENT) return;
  std::error_code ec;
  fs::create_directories(to.parent_path(), ec);
  // Where it cannot be shared, it is only written once more.
  [[maybe_unused]] const int shared = ::linkat(top, e.path.c_str(), AT_FDCWD, to.c_str(), 0);
}

void shared_files::forget(const git_entry &e) const { ::unlink(path_of(e).c_str()); }

void shared_files::sweep() const {
  std::error_code ec;
  for (fs::recursive_directory_iterator at(folder_, ec), end; !ec && at != end; at.increment(ec)) {
    struct stat s;
    if (::lstat(at->path().c_str(), &s) == 0 && S_ISREG(s.st_mode) && s.st_nlink == 1) ::unlink(at->path().c_str());
  }
}

}  // namespace corbel::detail
