#include "bundle/blocking/current.hpp"

#include "bundle/blocking/file_lock.hpp"
#include "bundle/names.hpp"
#include "git/revision.hpp"

#include <unistd.h>

namespace corbel::detail {

namespace fs = std::filesystem;

namespace {

// As the store names them; of one length.
constexpr std::string_view begin = "../../repos/", middle = "/commits/", modules = "/modules/";

std::optional<current_commit> read_link(const fs::path &link) {
  std::error_code ec;
  const std::string target = fs::read_symlink(link, ec);
  if (ec || !target.starts_with(begin)) return {};
  const auto at = target.find('/', begin.size());
  const bool with_submodules = at != target.npos && target.compare(at, modules.size(), modules) == 0;
  if (at == target.npos || (!with_submodules && target.compare(at, middle.size(), middle) != 0)) return {};
  current_commit c{
      target.substr(begin.size(), at - begin.size()), target.substr(at + middle.size(), 40), {}, with_submodules};
  const auto rest = std::string_view(target).substr(std::min(target.size(), at + middle.size() + 40));
  if (!is_full_commit(c.commit) || (!rest.empty() && !rest.starts_with('/'))) return {};
  c.subdir = rest.empty() ? rest : rest.substr(1);
  return c;
}

fs::path folder_of(const fs::path &root, const std::string &id) { return root / "bundles" / bundle_folder(id); }

}  // namespace

std::optional<current_commit> read_current(const fs::path &root, const std::string &id) {
  return read_link(folder_of(root, id) / "current");
}

bool switch_current(const fs::path &root, const std::string &id, const current_commit &to, const std::string &note) {
  const auto folder = folder_of(root, id);
  if (read_current(root, id) == to) return false;
  make_folders(folder);
  const auto lock = file_lock::wait(folder / "lock", file_lock::mode::alone);
  if (read_current(root, id) == to) return false;
  std::string target = std::string(begin) + to.repository + std::string(to.with_submodules ? modules : middle) + to.commit;
  if (!to.subdir.empty()) target += "/" + to.subdir;
  const auto fresh = folder / ".current.new", link = folder / "current";
  ::unlink(fresh.c_str());
  if (::symlink(target.c_str(), fresh.c_str()) != 0) throw failure(disk_error("cannot make the link", fresh));
  if (::rename(fresh.c_str(), link.c_str()) != 0) throw failure(disk_error("cannot switch", link));
  sync_folder(folder);
  write_whole(folder / "source.json", note);
  return true;
}

bool forget_current(const fs::path &root, const std::string &id) {
  const auto folder = folder_of(root, id);
  std::error_code ec;
  if (!fs::exists(folder, ec)) return false;
  const auto lock = file_lock::wait(folder / "lock", file_lock::mode::alone);
  const bool was = ::unlink((folder / "current").c_str()) == 0;
  fs::remove_all(folder, ec);
  return was;
}

std::set<current_commit> all_current(const fs::path &root) {
  std::set<current_commit> out;
  std::error_code ec;
  for (fs::directory_iterator at(root / "bundles", ec), end; !ec && at != end; at.increment(ec))
    if (auto c = read_link(at->path() / "current")) {
      c->subdir.clear();
      out.insert(std::move(*c));
    }
  return out;
}

}  // namespace corbel::detail
