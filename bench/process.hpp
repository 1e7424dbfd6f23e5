#pragma once
/// What the kernel says of this process: private memory, descriptors, wake-ups of its threads.

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <malloc.h>
#include <map>
#include <string>
#include <unistd.h>

namespace bench {

/// Memory of this process alone, in KiB: dirty and clean, heap, stacks, and the program's own pages. What malloc holds but
/// nobody uses is given back first.
inline long private_kib() {
  ::malloc_trim(0);
  std::ifstream in("/proc/self/smaps_rollup");
  std::string name;
  long sum = 0;
  for (std::string line; std::getline(in, line);) {
    long kib = 0;
    if (std::sscanf(line.c_str(), "Private_Clean: %ld", &kib) == 1 ||
        std::sscanf(line.c_str(), "Private_Dirty: %ld", &kib) == 1)
      sum += kib;
  }
  return sum;
}

inline long descriptors() {
  long n = 0;
  for ([[maybe_unused]] const auto &entry : std::filesystem::directory_iterator("/proc/self/fd")) ++n;
  return n - 1;  // the one that reads the folder
}

/// How often each thread but the calling one has gone to sleep by itself, by "<id> <name>".
inline std::map<std::string, long> sleeps() {
  std::map<std::string, long> all;
  const auto self = std::to_string(::gettid());
  for (const auto &task : std::filesystem::directory_iterator("/proc/self/task")) {
    const auto id = task.path().filename().string();
    if (id == self) continue;
    std::ifstream in(task.path() / "status");
    std::string name;
    for (std::string line; std::getline(in, line);) {
      if (line.starts_with("Name:")) name = line.substr(6);
      if (line.starts_with("voluntary_ctxt_switches:")) all[id + " " + name] = std::stol(line.substr(24));
    }
  }
  return all;
}

}  // namespace bench
