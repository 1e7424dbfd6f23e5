#include "bundle/blocking/checkout.hpp"

#include "bundle/blocking/file_list.hpp"
#include "bundle/blocking/shared_files.hpp"
#include "bundle/blocking/spare.hpp"
#include "bundle/blocking/sync_all.hpp"
#include "bundle/path_check.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <fcntl.h>
#include <map>
#include <set>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace corbel::detail {

namespace {

/// So many new files and folders are synced each for itself; more with the whole file system, which is then quicker.
constexpr std::size_t most_single_syncs = 1000;

class descriptor {
 public:
  explicit descriptor(int fd) noexcept : fd_(fd) {}
  ~descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  descriptor(const descriptor &) = delete;
  descriptor &operator=(const descriptor &) = delete;
  int get() const noexcept { return fd_; }

 private:
  int fd_;
};

class checkout {
 public:
  checkout(const git_mirror &mirror, const repository_place &place, const std::string &commit, const checkout_limits &limits,
           const std::function<void(std::uint64_t, std::uint64_t)> &progress)
      : mirror_(mirror), place_(place), commit_(commit), limits_(limits), progress_(progress), shared_(place.files()) {}

  error run() {
    if (auto why = read_tree()) return why;
    if (auto why = check_links(links_)) return why;
    fresh_ = place_.unfinished(commit_);
    remove_tree(fresh_);
    begun_ = begin_folder(place_, fresh_, list_, folders_);
    changed_ = begun_.changed;
    top_ = std::make_unique<descriptor>(::open(fresh_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (top_->get() < 0) return disk_error("cannot open the folder", fresh_);
    auto why = fill();
    if (!why) why = finish();
    if (why) remove_tree(fresh_);
    return why;
  }
  made_checkout made() const {
    made_checkout out{list_.figures, {}};
    for (const auto *f : written_) out.unshared.push_back(f->entry);
    return out;
  }

 private:
  error read_tree() {
    auto read = walk_git_tree(mirror_, commit_, place_.with_submodules, [this](const git_entry &e) -> error {
      if (auto why = check_entry_path(e.path, limits_.path)) return why;
      if (e.kind == git_entry_kind::link) {
        auto got = read_git_blob(mirror_, e.id, limits_.path, [&](std::string_view target) {
          links_.emplace(e.path, target);
          return error();
        });
        if (!got) return got.error();
      }
      if (e.kind == git_entry_kind::folder || e.kind == git_entry_kind::submodule)
        folders_.push_back(e.path);
      else if (list_.files.push_back({e, 0}); list_.files.size() > limits_.files)
        return error(status::protocol, fmt::format("the commit has more than {} files", limits_.files), "bundle",
                     "TOO_LARGE", error::fatal);
      return {};
    });
    return read ? error() : read.error();
  }

  error fill() {
    // A name that is there twice, as a link and as a folder, fails here: nothing is ever written through a link.
    for (const auto &f : folders_) {
      if (begun_.folders.contains(f)) continue;
      if (!open_parent(f) || ::mkdirat(top_->get(), f.c_str(), 0755) != 0)
        return disk_error("cannot make the folder", fresh_ / f);
      changed_.insert(f);
    }
    for (std::size_t i = 0; i < list_.files.size(); ++i) {
      auto &f = list_.files[i];
      if (!begun_.files.empty() && begun_.files[i]) {
        if (auto why = is_linked(f)) return why;
        continue;
      }
      if (!open_parent(f.entry.path)) return disk_error("cannot open the folder", fresh_ / f.entry.path);
      if (f.entry.kind == git_entry_kind::link) {
        const auto &target = links_.find(f.entry.path)->second;
        if (::symlinkat(target.c_str(), top_->get(), f.entry.path.c_str()) != 0)
          return disk_error("cannot make the link", fresh_ / f.entry.path);
        f.size = target.size();
        ++list_.figures.files;
        continue;
      }
      const auto got = shared_.link(f.entry, top_->get(), f.size);
      if (got == shared_files::outcome::failed) return disk_error("cannot link the file", fresh_ / f.entry.path);
      if (got == shared_files::outcome::spoiled) ++list_.figures.repaired;
      if (got != shared_files::outcome::linked) {
        written_.push_back(&f);
        continue;
      }
      if (auto why = is_linked(f)) return why;
    }
    for (auto *f : written_)
      if (auto why = write(*f)) return why;
    return {};
  }

  /// The folder above can be changed. What is new can be from the beginning.
  bool open_parent(const std::string &path) {
    const auto slash = path.rfind('/');
    auto parent = slash == path.npos ? "." : path.substr(0, slash);
    if (changed_.contains(parent)) return true;
    if (::fchmodat(top_->get(), parent.c_str(), 0755, 0) != 0) return false;
    changed_.insert(std::move(parent));
    return true;
  }

  error is_linked(const listed_file &f) {
    if (f.entry.kind == git_entry_kind::link) {
      ++list_.figures.files;
      return {};
    }
    ++list_.figures.linked;
    return count(f.size);
  }

  error count(std::uint64_t bytes) {
    ++list_.figures.files;
    list_.figures.bytes += bytes;
    if (list_.figures.bytes > limits_.bytes)
      return error(status::protocol, fmt::format("the commit has more than {} bytes", limits_.bytes), "bundle", "TOO_LARGE",
                   error::fatal);
    if (progress_) progress_(list_.figures.files, list_.figures.bytes);
    return {};
  }

  error write(listed_file &f) {
    auto read =
        read_git_blob(mirror_, f.entry.id, limits_.bytes - list_.figures.bytes, [&](std::string_view content) -> error {
          f.size = content.size();
          return write_blob_file(top_->get(), f.entry, content, false) ? error()
                                                                       : disk_error("cannot write", fresh_ / f.entry.path);
        });
    if (!read) return read.error();
    return count(f.size);
  }

  error finish() {
    for (const auto &f : changed_)
      if (::fchmodat(top_->get(), f.c_str(), 0555, 0) != 0) return disk_error("cannot protect", fresh_ / f);
    const auto list = place_.unfinished_files(commit_);
    write_fresh(list, list_.text());
    if (auto why = sync(list)) return why;
    if (::rename(list.c_str(), place_.commit_files(commit_).c_str()) != 0) return disk_error("cannot name", list);
    if (::rename(fresh_.c_str(), place_.commit(commit_).c_str()) != 0) return disk_error("cannot name", fresh_);
    sync_folder(place_.commits());
    return {};
  }

  error sync(const std::string &list) {
    if (written_.size() + changed_.size() > most_single_syncs)
      return ::syncfs(top_->get()) == 0 ? error() : disk_error("cannot sync", fresh_);
    std::vector<std::string> all(changed_.begin(), changed_.end());
    all.push_back(list);
    for (const auto *f : written_) all.push_back(f->entry.path);
    return sync_all(top_->get(), fresh_, all);
  }

  const git_mirror &mirror_;
  const repository_place &place_;
  const std::string &commit_;
  const checkout_limits &limits_;
  const std::function<void(std::uint64_t, std::uint64_t)> &progress_;
  shared_files shared_;
  std::filesystem::path fresh_;
  std::unique_ptr<descriptor> top_;
  std::vector<std::string> folders_;
  std::map<std::string, std::string, std::less<>> links_;
  file_list list_;
  begun_folder begun_;
  std::set<std::string, std::less<>> changed_;  // folders
  std::vector<listed_file *> written_;
};

}  // namespace

result<made_checkout> make_checkout(const git_mirror &mirror, const repository_place &place, const std::string &commit,
                                    const checkout_limits &limits,
                                    const std::function<void(std::uint64_t files, std::uint64_t bytes)> &progress) {
  checkout c(mirror, place, commit, limits, progress);
  if (auto why = c.run()) return why;
  return c.made();
}

}  // namespace corbel::detail
