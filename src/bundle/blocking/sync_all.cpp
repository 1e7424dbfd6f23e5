#include "bundle/blocking/sync_all.hpp"

#include "bundle/blocking/store.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <fcntl.h>
#include <thread>
#include <unistd.h>

namespace corbel::detail {

namespace {

constexpr std::size_t most_threads = 16;

/// 0, or the errno's number.
int sync_one(int top, const std::string &path) {
  const int fd = ::openat(top, path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return errno;
  const int code = ::fsync(fd) == 0 ? 0 : errno;
  ::close(fd);
  return code;
}

}  // namespace

error sync_all(int top, const std::string &name, const std::vector<std::string> &paths) {
  std::atomic<std::size_t> next{0};
  std::atomic<std::size_t> failed{paths.size()};
  std::atomic<int> code{0};
  const auto work = [&] {
    for (std::size_t i; (i = next++) < paths.size();)
      if (const int why = sync_one(top, paths[i]); why != 0) {
        failed = i;
        code = why;
      }
  };
  std::vector<std::jthread> others;
  for (std::size_t n = std::min(most_threads, paths.size()); n > 1; --n) others.emplace_back(work);
  work();
  others.clear();
  if (failed == paths.size()) return {};
  errno = code;
  return disk_error("cannot sync", std::filesystem::path(name) / paths[failed]);
}

}  // namespace corbel::detail
