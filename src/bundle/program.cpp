#include "bundle/program.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdlib>
#include <dlfcn.h>
#include <filesystem>
#include <string_view>
#include <unistd.h>

extern char **environ;

namespace corbel::detail {

namespace fs = std::filesystem;

namespace {

result<std::string> find_program(const std::string &name, const char *by, const std::string &given) {
  std::vector<std::string> places;
  const char *variable = std::getenv(by);
  if (!given.empty()) {
    places.push_back(given);
  } else if (variable && *variable) {
    places.emplace_back(variable);
  } else {
    Dl_info info{};
    std::error_code ec;
    static const char here = 0;
    const std::string_view holder = ::dladdr(&here, &info) && info.dli_fname ? info.dli_fname : "";
    // A program is named as it was called, which may be relative to a folder that is no more the current one.
    const bool is_library = holder.find(".so") != holder.npos && holder.find('/') != holder.npos;
    fs::path file = is_library ? fs::canonical(holder, ec) : fs::path();
    if (ec || file.empty()) file = fs::read_symlink("/proc/self/exe", ec);
    const auto folder = file.parent_path();
    // Installed: lib, or lib/<triplet>, or bin beside libexec. Built: beside it or one folder above.
    for (const char *relative : {"../libexec", "../../libexec", ".", "..", "../..", "../../.."})
      places.push_back((folder / relative / name).lexically_normal());
  }
  for (const auto &place : places)
    if (place.starts_with('/') && ::access(place.c_str(), X_OK) == 0) return place;
  return error(status::unavailable,
               fmt::format("{} was not found as {}: give its absolute path in the options or in {}", name,
                           fmt::join(places, ", "), by),
               "bundle", "PROGRAM", error::fatal);
}

}  // namespace

result<std::string> find_git_program(const std::string &given) { return find_program("corbel-git", "CORBEL_GIT", given); }
result<std::string> find_run_program(const std::string &given) { return find_program("corbel-run", "CORBEL_RUN", given); }

std::vector<std::string> git_environment() {
  static constexpr std::string_view names[] = {
      "PATH",          "HOME",          "USER",         "TMPDIR",        "TZ",          "LD_LIBRARY_PATH",
      "SSH_AUTH_SOCK", "SSL_CERT_FILE", "SSL_CERT_DIR", "http_proxy",    "https_proxy", "HTTPS_PROXY",
      "no_proxy",      "NO_PROXY",      "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"};
  std::vector<std::string> out;
  for (char **e = environ; *e; ++e) {
    const std::string_view variable(*e);
    const auto name = variable.substr(0, variable.find('='));
    for (auto known : names)
      if (name == known) out.emplace_back(variable);
  }
  return out;
}

}  // namespace corbel::detail
