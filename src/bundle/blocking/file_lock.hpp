#pragma once
/// Owns: one lock of a file, shared or alone, which ends with the last descriptor of it: also when its holder is killed. It
/// may be handed to another process as a descriptor. Thread: one. On network file systems it counts between machines.

#include <filesystem>
#include <utility>

namespace corbel::detail {

class file_lock {
 public:
  enum class mode { shared, alone };

  file_lock() noexcept = default;
  ~file_lock() { release(); }
  file_lock(file_lock &&o) noexcept : fd_(std::exchange(o.fd_, -1)) {}
  file_lock &operator=(file_lock &&o) noexcept {
    if (this != &o) {
      release();
      fd_ = std::exchange(o.fd_, -1);
    }
    return *this;
  }

  /// Waits for it, without limit. Throws failure. The file is made when it is not there; a lock of a file that was removed
  /// meanwhile counts for nothing and is taken anew.
  static file_lock wait(const std::filesystem::path &file, mode m);
  /// Empty when somebody has it. Throws failure.
  static file_lock attempt(const std::filesystem::path &file, mode m);

  explicit operator bool() const noexcept { return fd_ >= 0; }
  int descriptor() const noexcept { return fd_; }
  /// From alone to shared. Others may have it in between: true when the file is still the one of that name.
  bool share(const std::filesystem::path &file);
  /// The file's time of change is now.
  void touch() const noexcept;
  void release() noexcept;

 private:
  static file_lock take(const std::filesystem::path &file, int operation);
  explicit file_lock(int fd) noexcept : fd_(fd) {}
  int fd_ = -1;
};

}  // namespace corbel::detail
