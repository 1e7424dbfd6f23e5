#include "git/blocking/work_tree.hpp"

#include <filesystem>
#include <fstream>
#include <git2.h>

namespace corbel::detail {

namespace {

using repository_pointer = std::unique_ptr<git_repository, git_free<git_repository_free>>;

}  // namespace

error make_work_tree(const std::string &folder, const std::string &objects, const std::string &url,
                     const std::string &commit) {
  git_repository *made = nullptr;
  if (const int code = ::git_repository_init(&made, folder.c_str(), 0); code < 0)
    return git_failure(code, "cannot make a work tree");
  ::git_repository_free(made);
  std::filesystem::create_directories(folder + "/.git/objects/info");
  std::ofstream(folder + "/.git/objects/info/alternates") << objects << '\n';
  // Opened anew, so that the other objects are seen.
  if (const int code = ::git_repository_open(&made, folder.c_str()); code < 0)
    return git_failure(code, "cannot open the work tree");
  const repository_pointer repository(made);
  git_oid id;
  git_remote *remote = nullptr;
  git_commit *found = nullptr;
  git_tree *tree = nullptr;
  git_index *index = nullptr;
  int code = ::git_oid_fromstr(&id, commit.c_str());
  if (code == 0) code = ::git_remote_create(&remote, made, "origin", url.c_str());
  const std::unique_ptr<git_remote, git_free<git_remote_free>> held_remote(remote);
  if (code == 0) code = ::git_repository_set_head_detached(made, &id);
  if (code == 0) code = ::git_commit_lookup(&found, made, &id);
  const std::unique_ptr<git_commit, git_free<git_commit_free>> held_commit(found);
  if (code == 0) code = ::git_commit_tree(&tree, found);
  const std::unique_ptr<git_tree, git_free<git_tree_free>> held_tree(tree);
  if (code == 0) code = ::git_repository_index(&index, made);
  const std::unique_ptr<git_index, git_free<git_index_free>> held_index(index);
  if (code == 0) code = ::git_index_read_tree(index, tree);
  if (code == 0) code = ::git_index_write(index);
  return code < 0 ? git_failure(code, "cannot fill the work tree's .git") : error();
}

std::string head_of_work_tree(const std::string &folder) {
  git_repository *opened = nullptr;
  if (::git_repository_open_ext(&opened, folder.c_str(), GIT_REPOSITORY_OPEN_NO_SEARCH, nullptr) < 0) return {};
  const repository_pointer repository(opened);
  git_oid id;
  char text[GIT_OID_HEXSZ + 1];
  if (::git_reference_name_to_id(&id, opened, "HEAD") < 0) return {};
  return ::git_oid_tostr(text, sizeof text, &id);
}

}  // namespace corbel::detail
