#include "runtime/process_metrics.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/resource.h>
#include <unistd.h>
#include <vector>

namespace corbel::detail {

namespace {

/// Fields of /proc/self/stat from the third on: what stands before may hold spaces.
std::vector<double> stat_fields() {
  std::ifstream file("/proc/self/stat");
  std::string text;
  std::getline(file, text);
  std::vector<double> fields;
  const auto end = text.rfind(')');
  if (end == std::string::npos) return fields;
  std::istringstream rest(text.substr(end + 2));
  for (std::string field; rest >> field;) fields.push_back(std::strtod(field.c_str(), nullptr));
  return fields;
}

double boot_time() {
  std::ifstream file("/proc/stat");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("btime ")) return std::strtod(line.c_str() + 6, nullptr);
  return 0;
}

}  // namespace

void write_process_metrics(metrics_writer &to) {
  const auto f = stat_fields();
  if (f.size() < 22) return;
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK)), page = static_cast<double>(::sysconf(_SC_PAGESIZE));
  static const double booted = boot_time();
  // Numbered from 3 in proc(5): utime 14, stime 15, num_threads 20, starttime 22, vsize 23, rss 24.
  to.counter("process_cpu_seconds_total", "User and system time of this process.", {}, (f[11] + f[12]) / ticks);
  to.gauge("process_threads", "Threads of this process.", {}, f[17]);
  to.gauge("process_start_time_seconds", "When this process started, since 1970.", {}, booted + f[19] / ticks);
  to.gauge("process_virtual_memory_bytes", "Virtual memory of this process.", {}, f[20]);
  to.gauge("process_resident_memory_bytes", "Resident memory of this process.", {}, f[21] * page);
  std::error_code ec;
  double open = 0;
  for (std::filesystem::directory_iterator at("/proc/self/fd", ec), end; !ec && at != end; at.increment(ec)) ++open;
  to.gauge("process_open_fds", "Open file descriptors of this process.", {}, open);
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0)
    to.gauge("process_max_fds", "File descriptors that this process may open.", {}, static_cast<double>(limit.rlim_cur));
}

}  // namespace corbel::detail
