#include "bundle/blocking/file_lock.hpp"

#include "bundle/blocking/store.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace corbel::detail {

namespace {

int operation_of(file_lock::mode m) { return m == file_lock::mode::alone ? LOCK_EX : LOCK_SH; }

bool lock(int fd, int operation) {
  int outcome;
  do outcome = ::flock(fd, operation);
  while (outcome != 0 && errno == EINTR);
  return outcome == 0;
}

bool is_named(int fd, const std::filesystem::path &file) {
  struct stat held, named;
  return ::fstat(fd, &held) == 0 && ::stat(file.c_str(), &named) == 0 && held.st_ino == named.st_ino &&
         held.st_dev == named.st_dev;
}

}  // namespace

file_lock file_lock::take(const std::filesystem::path &file, int operation) {
  for (;;) {
    file_lock held(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    // On a root that is read-only what is there may still be read.
    if (!held && (operation & LOCK_SH) != 0 && (errno == EROFS || errno == EACCES))
      held = file_lock(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!held) throw failure(disk_error("cannot open the lock", file));
    if (!lock(held.fd_, operation)) {
      if (errno == EWOULDBLOCK) return {};
      throw failure(disk_error("cannot lock", file));
    }
    if (is_named(held.fd_, file)) return held;
  }
}

file_lock file_lock::wait(const std::filesystem::path &file, mode m) { return take(file, operation_of(m)); }

file_lock file_lock::attempt(const std::filesystem::path &file, mode m) { return take(file, operation_of(m) | LOCK_NB); }

bool file_lock::share(const std::filesystem::path &file) { return lock(fd_, LOCK_SH) && is_named(fd_, file); }

void file_lock::touch() const noexcept {
  if (fd_ >= 0) ::futimens(fd_, nullptr);
}

void file_lock::release() noexcept {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

}  // namespace corbel::detail
