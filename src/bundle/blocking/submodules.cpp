#include "bundle/blocking/submodules.hpp"

#include "git/blocking/tree.hpp"
#include "git/submodules.hpp"

#include <fmt/format.h>

namespace corbel::detail {

namespace {

constexpr unsigned most_submodules = 200, most_levels = 8;

class submodules {
 public:
  submodules(const repository_place &place, const git_location &where, const git_access &access, const fetch_limits &limits,
             const std::function<void(const char *, const git_progress &)> &progress)
      : place_(place), where_(where), access_(access), limits_(limits), progress_(progress) {}

  error run(const git_mirror &mirror, const git_location &parent, const std::string &commit, unsigned level) {
    std::map<std::string, std::string> urls;
    std::vector<git_entry> found;
    auto walked = walk_git_tree(mirror, commit, false, [&](const git_entry &e) -> error {
      if (e.kind == git_entry_kind::submodule) found.push_back(e);
      if (e.path != ".gitmodules" || e.kind != git_entry_kind::file) return {};
      auto read = read_git_blob(mirror, e.id, 1 << 20, [&](std::string_view text) {
        urls = read_gitmodules(text);
        return error();
      });
      return read ? error() : read.error();
    });
    if (!walked) return walked.error();
    for (const auto &e : found) {
      if (++count_ > most_submodules || level > most_levels) return refuse("has too many submodules", e.path);
      const auto url = urls.find(e.path);
      if (url == urls.end()) return refuse("does not say where its submodule is", e.path);
      auto where = submodule_location(parent, url->second);
      if (!where) return refuse(where.error().message().c_str(), e.path);
      auto fetched = fetch_commit(place_, *where, access_to(*where), e.id, limits_, false, progress_);
      if (!fetched)
        return error(fetched.error().code(), fmt::format("submodule {}: {}", e.path, fetched.error().message()),
                     fetched.error().source(), fetched.error().native(), fetched.error().flags());
      if (auto why = run(*fetched->mirror, *where, e.id, level + 1)) return why;
    }
    return {};
  }

 private:
  static error refuse(const char *what, const std::string &path) {
    return error(status::refused, fmt::format("the repository {}: {}", what, path), "git", "SUBMODULE", error::retriable);
  }
  git_access access_to(const git_location &other) const {
    if (other.transport == where_.transport && other.host == where_.host) return access_;
    return {{}, {}, {}, access_.known_hosts, access_.ca_file};
  }

  const repository_place &place_;
  const git_location &where_;
  const git_access &access_;
  const fetch_limits &limits_;
  const std::function<void(const char *, const git_progress &)> &progress_;
  unsigned count_ = 0;
};

}  // namespace

error fetch_submodules(const repository_place &place, const git_location &where, const git_access &access,
                       const fetched_commit &of, const fetch_limits &limits,
                       const std::function<void(const char *stage, const git_progress &)> &progress) {
  return submodules(place, where, access, limits, progress).run(*of.mirror, where, of.commit, 1);
}

}  // namespace corbel::detail
