#include "git/blocking/library.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <git2.h>

namespace corbel::detail {

namespace {

void require(int code, const char *what) {
  if (code < 0) throw failure(git_failure(code, what));
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

std::string one_line(std::string_view text) {
  std::string out(text);
  for (char &c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  return out;
}

struct verdict {
  status code;
  const char *native;
  std::uint32_t flags;
};

/// By libgit2's code and class; where it has only one for several things, by its text.
verdict judge(int code, int klass, std::string_view text) {
  // Whatever was under way, this is about the disk.
  for (auto [number, name] : {std::pair{ENOSPC, "ENOSPC"}, {EDQUOT, "EDQUOT"}, {EROFS, "EROFS"}})
    if ((klass == GIT_ERROR_OS || klass == GIT_ERROR_FILESYSTEM) && contains(text, std::strerror(number)))
      return {status::unavailable, name, error::retriable};
  if (code == GIT_EAUTH || contains(text, "status code: 401") || contains(text, "status code: 403") ||
      contains(text, "too many redirects or authentication replays"))
    return {status::refused, "AUTH", error::fatal};
  if (code == GIT_ECERTIFICATE || klass == GIT_ERROR_SSL || contains(text, "hostkey"))
    return {status::refused, "CERTIFICATE", error::fatal};
  if (contains(text, "status code: 404") || contains(text, "failed to resolve path") ||
      contains(text, "could not find repository"))
    return {status::refused, "NOT_FOUND", error::retriable};
  if (klass == GIT_ERROR_NOMEMORY) return {status::no_memory, "NO_MEMORY", error::retriable};
  if (klass == GIT_ERROR_INDEXER || klass == GIT_ERROR_ZLIB || code == GIT_EMISMATCH)
    return {status::protocol, "CORRUPT", error::retriable};
  if (klass == GIT_ERROR_ODB || klass == GIT_ERROR_OBJECT || klass == GIT_ERROR_TREE)
    return {status::protocol, "OBJECT", error::retriable};
  return {status::unavailable, klass == GIT_ERROR_OS || klass == GIT_ERROR_FILESYSTEM ? "OS" : "NETWORK", error::retriable};
}

}  // namespace

git_library::git_library(const std::string &home, const std::string &ca_file) {
  ::setenv("HOME", home.c_str(), 1);
  require(::git_libgit2_init(), "libgit2 cannot start");
  for (int level : {GIT_CONFIG_LEVEL_PROGRAMDATA, GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_GLOBAL})
    require(::git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, level, home.c_str()), "libgit2's search path");
  require(::git_libgit2_opts(GIT_OPT_SET_TEMPLATE_PATH, home.c_str()), "libgit2's template path");
  require(::git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1), "libgit2's syncing");
  // A root on a shared file system may belong to another user of this group: our own locks and checks guard it.
  require(::git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0), "libgit2's check of owners");
  require(::git_libgit2_opts(GIT_OPT_SET_USER_AGENT, "corbel"), "libgit2's user agent");
  if (!ca_file.empty())
    require(::git_libgit2_opts(GIT_OPT_SET_SSL_CERT_LOCATIONS, ca_file.c_str(), nullptr),
            "the file of certificate authorities");
}

git_library::~git_library() { ::git_libgit2_shutdown(); }

error git_failure(int code, std::string_view what) {
  const auto *last = ::git_error_last();
  const auto text = last && last->message ? one_line(last->message) : fmt::format("libgit2 error {}", code);
  const auto v = judge(code, last ? last->klass : 0, text);
  return error(v.code, fmt::format("{}: {}", what, text), "git", v.native, v.flags);
}

}  // namespace corbel::detail
