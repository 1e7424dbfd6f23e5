#pragma once
/// A wall clock that a test sets, for processes that are started with its variables; time goes on from where it is set, and
/// their steady clocks are left alone.
///
///     fake_clock clock;
///     redis_server server({.variables = clock.variables()});
///     clock.jump(5h);                                         // the server's clock is five hours ahead of ours

#include "support/temp_dir.hpp"

#include <chrono>
#include <cstdint>
#include <fcntl.h>
#include <string>
#include <unistd.h>
#include <vector>

namespace corbel::test {

class fake_clock {
 public:
  fake_clock() : fd_(::open(dir_.write("ahead", std::string(8, '\0')).c_str(), O_WRONLY | O_CLOEXEC)) {}
  ~fake_clock() { ::close(fd_); }
  fake_clock(const fake_clock &) = delete;
  fake_clock &operator=(const fake_clock &) = delete;

  std::vector<std::string> variables() const {
    return {"LD_PRELOAD=" CORBEL_WALL_CLOCK, "CORBEL_TEST_CLOCK=" + dir_.file("ahead"),
            "ASAN_OPTIONS=verify_asan_link_order=0"};
  }
  /// So far ahead of this process's clock, or behind it, from now on.
  void jump(std::chrono::seconds ahead) const {
    const std::int64_t seconds = ahead.count();
    [[maybe_unused]] auto written = ::pwrite(fd_, &seconds, sizeof seconds, 0);
  }

 private:
  temp_dir dir_;
  const int fd_;
};

}  // namespace corbel::test
