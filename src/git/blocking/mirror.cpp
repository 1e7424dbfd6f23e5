#include "git/blocking/mirror.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <git2.h>

namespace corbel::detail {

namespace fs = std::filesystem;

namespace {

using object_pointer = std::unique_ptr<git_object, git_free<git_object_free>>;

object_pointer look_up(git_repository *r, const std::string &id, git_object_t type) {
  git_oid oid;
  git_object *found = nullptr;
  if (::git_oid_fromstr(&oid, id.c_str()) < 0 || ::git_object_lookup(&found, r, &oid, type) < 0) return nullptr;
  return object_pointer(found);
}

std::string text_of(const git_oid *id) {
  char out[GIT_OID_HEXSZ + 1];
  return ::git_oid_tostr(out, sizeof out, id);
}

/// Temporary packs, packs without index, and locks: of processes that hold the mirror's lock no more.
void remove_leftovers(const fs::path &path) {
  std::error_code ec;
  for (fs::recursive_directory_iterator at(path, ec), end; !ec && at != end; at.increment(ec)) {
    const auto &file = at->path();
    const auto name = file.filename().string();
    const bool in_pack = file.parent_path().filename() == "pack";
    const bool whole =
        name.ends_with(".idx") || (name.ends_with(".pack") && fs::exists(fs::path(file).replace_extension(".idx")));
    std::error_code ignored;
    if (name.ends_with(".lock") || name.starts_with("tmp_object") || (in_pack && !whole)) fs::remove(file, ignored);
  }
}

}  // namespace

std::optional<git_mirror> git_mirror::open(const std::string &path) {
  git_repository *opened = nullptr;
  if (::git_repository_open_bare(&opened, path.c_str()) < 0) return {};
  return git_mirror(pointer(opened));
}

result<git_mirror> git_mirror::repair(const std::string &path) {
  std::error_code ec;
  if (fs::exists(path, ec)) {
    remove_leftovers(path);
    if (auto mirror = open(path)) return std::move(*mirror);
  }
  // Made under another name, so that one that has the name is whole.
  const auto fresh = path + ".new";
  fs::remove_all(fresh, ec);
  fs::remove_all(path, ec);
  git_repository *made = nullptr;
  if (const int code = ::git_repository_init(&made, fresh.c_str(), 1); code < 0)
    return git_failure(code, "cannot make the mirror");
  ::git_repository_free(made);
  fs::rename(fresh, path, ec);
  if (ec)
    return error(status::unavailable, fmt::format("cannot make the mirror: {}", ec.message()), "os", "", error::retriable);
  if (auto mirror = open(path)) return std::move(*mirror);
  return git_failure(-1, "cannot open the mirror");
}

bool git_mirror::has(const std::string &commit) const {
  auto object = look_up(get(), commit, GIT_OBJECT_COMMIT);
  git_tree *tree = nullptr;
  if (!object || ::git_commit_tree(&tree, reinterpret_cast<git_commit *>(object.get())) < 0) return false;
  ::git_tree_free(tree);
  return true;
}

result<std::string> git_mirror::commit_of(const std::string &id) const {
  auto object = look_up(get(), id, GIT_OBJECT_ANY);
  git_object *commit = nullptr;
  if (!object || ::git_object_peel(&commit, object.get(), GIT_OBJECT_COMMIT) < 0)
    return error(status::refused, fmt::format("{} is no commit", id), "git", "NO_REF", error::retriable);
  return text_of(::git_object_id(object_pointer(commit).get()));
}

result<std::string> git_mirror::find(const std::string &begin) const {
  git_oid oid;
  git_object *found = nullptr;
  int code = ::git_oid_fromstrn(&oid, begin.c_str(), begin.size());
  if (code == 0) code = ::git_object_lookup_prefix(&found, get(), &oid, begin.size(), GIT_OBJECT_COMMIT);
  if (code == GIT_EAMBIGUOUS)
    return error(status::refused, fmt::format("several commits begin with {}", begin), "git", "AMBIGUOUS", error::fatal);
  if (code < 0)
    return error(status::refused, fmt::format("the repository has no branch, tag or commit '{}'", begin), "git", "NO_REF",
                 error::retriable);
  return text_of(::git_object_id(object_pointer(found).get()));
}

void git_mirror::keep(const std::string &name, const std::string &commit) const {
  git_oid oid;
  git_reference *made = nullptr;
  const auto ours = "refs/kept/" + (name.starts_with("refs/") ? name.substr(5) : name);
  // A branch `a` that became a folder `a/b` blocks the name: nothing is lost without it but a smaller fetch.
  if (::git_oid_fromstr(&oid, commit.c_str()) == 0 &&
      ::git_reference_create(&made, get(), ours.c_str(), &oid, 1, nullptr) == 0)
    ::git_reference_free(made);
}

}  // namespace corbel::detail
