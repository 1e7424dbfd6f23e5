#include "support/resources.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace corbel::test {

namespace {
std::size_t entries(const char *directory) {
  std::filesystem::directory_iterator all(directory);
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}
}  // namespace

std::size_t open_descriptors() { return entries("/proc/self/fd") - 1; }  // without the one that reads the directory
std::size_t threads() { return entries("/proc/self/task"); }

std::size_t private_memory() {
  std::ifstream in("/proc/self/smaps_rollup");
  std::size_t kib = 0;
  for (std::string name; in >> name;) {
    std::size_t value = 0;
    if ((name == "Private_Clean:" || name == "Private_Dirty:") && in >> value) kib += value;
  }
  return kib * 1024;
}

}  // namespace corbel::test
