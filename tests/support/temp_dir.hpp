#pragma once
/// A directory of its own under the system's temporary folder, removed with everything in it by the destructor.

#include <filesystem>
#include <string>

namespace corbel::test {

class temp_dir {
 public:
  temp_dir();
  ~temp_dir();
  temp_dir(const temp_dir &) = delete;
  temp_dir &operator=(const temp_dir &) = delete;

  const std::filesystem::path &path() const noexcept { return path_; }
  /// path() / name as text.
  std::string file(const std::string &name) const { return (path_ / name).string(); }
  /// Writes a file and returns its path.
  std::string write(const std::string &name, const std::string &text) const;

 private:
  std::filesystem::path path_;
};

}  // namespace corbel::test
