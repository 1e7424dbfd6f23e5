#include "support/children.hpp"

#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>

namespace corbel::test {

std::vector<pid_t> children(std::string_view name) {
  std::vector<pid_t> out;
  for (const auto &entry : std::filesystem::directory_iterator("/proc")) {
    const auto pid = entry.path().filename().string();
    if (pid.find_first_not_of("0123456789") != pid.npos) continue;
    // It may end meanwhile: then there is nothing to read.
    std::ifstream file(entry.path() / "stat");
    std::string stat;
    std::getline(file, stat);
    const auto end = stat.rfind(')');
    if (end == stat.npos || stat.find("(" + std::string(name) + ")") == stat.npos) continue;
    if (std::stoi(stat.substr(end + 4)) == ::getpid()) out.push_back(std::stoi(pid));
  }
  return out;
}

}  // namespace corbel::test
