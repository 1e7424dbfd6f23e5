#pragma once
/// Owns: the folder with one hard link to every file that a commit of a repository has, by blob and mode. Thread: one.
/// Blocks. Several processes may use it at once: names appear and go, what a name leads to is whole.

#include "git/blocking/tree.hpp"

#include <cstdint>
#include <ctime>
#include <filesystem>
#include <string>
#include <string_view>
#include <sys/stat.h>

namespace corbel::detail {

/// The time of change of a file with this content.
timespec blob_time(const std::string &id) noexcept;
/// Mode, kind and time of change are those that write_blob_file gives.
bool is_pristine(const struct stat &s, const git_entry &e) noexcept;
/// A new read-only file below the folder `top`, complete with mode and time. sync: it is on the disk too. False: see errno.
bool write_blob_file(int top, const git_entry &e, std::string_view content, bool sync) noexcept;

class shared_files {
 public:
  enum class outcome {
    linked,
    absent,   ///< nobody has it: write it
    spoiled,  ///< it was written to: it is forgotten; write it anew
    failed,   ///< see errno
  };

  explicit shared_files(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// Makes e.path below the folder `top` a link to the file of that blob and mode. size: set when linked.
  outcome link(const git_entry &e, int top, std::uint64_t &size) const;
  /// The file e.path below `top`, which is on the disk, may be shared from now on.
  void offer(const git_entry &e, int top) const;
  /// What is spoiled is shared no more.
  void forget(const git_entry &e) const;
  /// Removes what no commit has.
  void sweep() const;

 private:
  std::filesystem::path path_of(const git_entry &e) const;
  std::filesystem::path folder_;
};

}  // namespace corbel::detail
