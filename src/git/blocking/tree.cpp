#include "git/blocking/tree.hpp"

#include <fmt/format.h>

#include <git2.h>

namespace corbel::detail {

namespace {

using tree_pointer = std::unique_ptr<git_tree, git_free<git_tree_free>>;

/// A tree that holds itself cannot be, but a deep one can.
constexpr unsigned most_levels = 128;

git_entry_kind kind_of(const git_tree_entry *e) {
  switch (::git_tree_entry_filemode(e)) {
    case GIT_FILEMODE_TREE:
      return git_entry_kind::folder;
    case GIT_FILEMODE_LINK:
      return git_entry_kind::link;
    case GIT_FILEMODE_COMMIT:
      return git_entry_kind::submodule;
    case GIT_FILEMODE_BLOB_EXECUTABLE:
      return git_entry_kind::program;
    default:
      return git_entry_kind::file;
  }
}

/// The folder of a commit. Errors: OBJECT, when the mirror has no such commit.
result<git_oid> folder_of(git_repository *repository, const git_oid *commit) {
  git_commit *found = nullptr;
  if (const int code = ::git_commit_lookup(&found, repository, commit); code < 0)
    return git_failure(code, "cannot read the commit");
  const std::unique_ptr<git_commit, git_free<git_commit_free>> held(found);
  return *::git_commit_tree_id(found);
}

error walk(git_repository *repository, const git_oid *id, const std::string &prefix, unsigned level, bool into_submodules,
           const std::function<error(const git_entry &)> &each) {
  if (level > most_levels)
    return error(status::protocol, fmt::format("folders are nested deeper than {}", most_levels), "git", "PATH");
  git_tree *found = nullptr;
  if (const int code = ::git_tree_lookup(&found, repository, id); code < 0) return git_failure(code, "cannot read a folder");
  const tree_pointer tree(found);
  char text[GIT_OID_HEXSZ + 1];
  for (std::size_t i = 0, n = ::git_tree_entrycount(found); i < n; ++i) {
    const auto *entry = ::git_tree_entry_byindex(found, i);
    const auto *entry_id = ::git_tree_entry_id(entry);
    git_entry e{kind_of(entry), prefix + ::git_tree_entry_name(entry), ::git_oid_tostr(text, sizeof text, entry_id)};
    if (auto why = each(e)) return why;
    auto inner = e.kind == git_entry_kind::folder                         ? result<git_oid>(*entry_id)
                 : e.kind == git_entry_kind::submodule && into_submodules ? folder_of(repository, entry_id)
                                                                          : result<git_oid>(git_oid{});
    if (!inner) return inner.error();
    if (::git_oid_is_zero(&*inner)) continue;
    if (auto why = walk(repository, &*inner, e.path + "/", level + 1, into_submodules, each)) return why;
  }
  return {};
}

}  // namespace

result<void> walk_git_tree(const git_mirror &mirror, const std::string &commit, bool into_submodules,
                           const std::function<error(const git_entry &)> &each) {
  git_oid id;
  if (const int code = ::git_oid_fromstr(&id, commit.c_str()); code < 0) return git_failure(code, "cannot read the commit");
  auto top = folder_of(mirror.get(), &id);
  if (!top) return top.error();
  if (auto why = walk(mirror.get(), &*top, "", 0, into_submodules, each)) return why;
  return {};
}

result<void> read_git_blob(const git_mirror &mirror, const std::string &id, std::uint64_t most,
                           const std::function<error(std::string_view)> &take) {
  git_oid oid;
  git_blob *found = nullptr;
  int code = ::git_oid_fromstr(&oid, id.c_str());
  if (code == 0) code = ::git_blob_lookup(&found, mirror.get(), &oid);
  if (code < 0) return git_failure(code, "cannot read a file");
  const std::unique_ptr<git_blob, git_free<git_blob_free>> held(found);
  const auto size = static_cast<std::uint64_t>(::git_blob_rawsize(found));
  if (size > most)
    return error(status::protocol, fmt::format("a file has {} bytes; {} are left", size, most), "git", "TOO_LARGE",
                 error::fatal);
  if (auto why = take({static_cast<const char *>(::git_blob_rawcontent(found)), size})) return why;
  return {};
}

}  // namespace corbel::detail
