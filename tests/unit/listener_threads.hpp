#pragma once
/// What the tests of the listener threads share: a gate that a task waits at, and a look at the threads there are.

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace corbel::test {

using namespace std::chrono_literals;

/// Longer than any wait of a sound run.
inline constexpr auto patience = 20s;

class gate {
 public:
  ~gate() { open(); }
  void open() {
    std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  /// Blocks until the gate opens; false when it did not in time.
  bool pass() {
    std::unique_lock lock(mutex_);
    ++arrived_;
    changed_.notify_all();
    return changed_.wait_for(lock, patience, [this] { return open_; });
  }
  /// Waits until n calls have come to the gate.
  bool arrived(int n = 1) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [&] { return arrived_ >= n; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
  int arrived_ = 0;
};

class warnings {
 public:
  void operator()(std::string text) {
    std::lock_guard lock(mutex_);
    all_.push_back(std::move(text));
  }
  std::vector<std::string> all() const {
    std::lock_guard lock(mutex_);
    return all_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> all_;
};

/// One line of /proc/self/task/<id>/status for each listener thread of this process, by thread id.
inline std::map<std::string, std::string> listener_thread_status(const std::string &line) {
  std::map<std::string, std::string> out;
  std::error_code ec;
  for (auto &task : std::filesystem::directory_iterator("/proc/self/task", ec)) {
    std::ifstream file(task.path() / "status");
    std::string text, name, found;
    while (std::getline(file, text)) {
      if (text.starts_with("Name:")) name = text.substr(6);
      if (text.starts_with(line)) found = text.substr(line.size());
    }
    if (name == "corbel-listen") out[task.path().filename()] = found;
  }
  return out;
}
inline std::size_t listener_thread_count() { return listener_thread_status("Name:").size(); }

}  // namespace corbel::test
