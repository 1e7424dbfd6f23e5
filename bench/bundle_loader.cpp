// A loader that does what the lines of its standard input say, and answers each with one of JSON: the time, and the
// processor time of its process and its helpers.
//
//     bench_bundle_loader --root /tmp/root --url file:///srv/app.git --git build/release/corbel-git
//     load <id> <ref>         makes the ref's commit current and pins it
//     pins <id> <ref>...      loads one ref after the other while a thread pins and unpins: the time of one of these, and of
//                             the slowest hundred

#include "measure.h"

#include <corbel/bundle.hpp>

#include <boost/asio/use_future.hpp>

#include <atomic>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>

namespace {

namespace asio = boost::asio;

struct loader {
  corbel::runtime rt;
  corbel::bundles all;
  std::string url;

  loader(corbel::bundles_options options, std::string from) : all(rt, std::move(options)), url(std::move(from)) {}

  corbel::bundle load(const std::string &id, const std::string &ref) {
    auto r = all.async_load({.id = id, .url = url, .ref = ref}, {}, asio::use_future).get();
    if (!r) throw std::runtime_error("cannot load '" + ref + "': " + r.error().message());
    return *std::move(r);
  }
};

/// What helpers do after their answer is theirs too; one of them may wait for more work afterwards.
void wait_for_helpers(const corbel::runtime &rt) {
  while (rt.metrics_text().find("corbel_bundle_jobs{loader=\"bundles\"} 0\n") == std::string::npos) ::usleep(200);
}

/// Of all threads that a process has had, in seconds; 0 for one that is gone.
double cpu_of(pid_t process) {
  clockid_t clock;
  timespec t{};
  if (::clock_getcpuclockid(process, &clock) != 0 || ::clock_gettime(clock, &t) != 0) return 0;
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

/// This process, the helpers that have ended, and those that live.
double cpu_with_helpers() {
  rusage u;
  ::getrusage(RUSAGE_CHILDREN, &u);
  auto sum = measure_cpu() + static_cast<double>(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
             1e-6 * static_cast<double>(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
  for (const auto &thread : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream list(thread.path() / "children");
    for (pid_t pid; list >> pid;) sum += cpu_of(pid);
  }
  return sum;
}

void measure_load(loader &l, const std::string &id, const std::string &ref) {
  const auto cpu = cpu_with_helpers(), since = measure_now();
  const auto b = l.load(id, ref);
  const auto took = measure_now() - since;
  wait_for_helpers(l.rt);
  std::printf("{\"ms\": %.3f, \"cpu_ms\": %.3f}\n", 1e3 * took, 1e3 * (cpu_with_helpers() - cpu));
}

void measure_pins(loader &l, const std::string &id, std::istream &refs) {
  constexpr int some = 100;
  std::atomic<bool> stop{false};
  unsigned long pins = 0;
  double took = 0, longest = 0;
  std::thread reader([&] {
    while (!stop) {
      const auto since = measure_now();
      for (int i = 0; i < some; ++i)
        if (!l.all.pin(id)) std::abort();
      const auto now = measure_now() - since;
      pins += some;
      took += now;
      longest = std::max(longest, now);
    }
  });
  for (std::string ref; refs >> ref;) (void)l.load(id, ref);
  stop = true;
  reader.join();
  wait_for_helpers(l.rt);
  std::printf("{\"ns\": %.1f, \"longest_us\": %.1f}\n", 1e9 * took / static_cast<double>(pins), 1e6 * longest);
}

}  // namespace

int main(int argc, char **argv) try {
  corbel::bundles_options options{.root = measure_option(argc, argv, "root", "")};
  options.program = measure_option(argc, argv, "git", "");
  loader l(std::move(options), measure_option(argc, argv, "url", ""));
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string what, id, ref;
    words >> what >> id;
    if (what == "pins") {
      measure_pins(l, id, words);
    } else {
      words >> ref;
      measure_load(l, id, ref);
    }
    std::fflush(stdout);
  }
  return 0;
} catch (const std::exception &e) {
  std::fprintf(stderr, "%s: %s\n", argv[0], e.what());
  return 1;
}
