#pragma once
/// Owns: what is known of every bundle of a loader, and what of each is pinned by being current. Callers: the loader writes,
/// everybody reads. Thread: any; a reader waits for no more than the copying of a few words.

#include "bundle/git_job.hpp"

#include <corbel/bundle.hpp>

#include <map>
#include <mutex>
#include <optional>

namespace corbel::detail {

struct pinned_bundle {
  std::string id, commit, path, folder;
  std::shared_ptr<commit_hold> hold;
};

class bundle_book {
 public:
  using pinned = std::shared_ptr<const pinned_bundle>;

  /// True when it is a new source for that id, or a changed one.
  bool configure(const bundle_source &source);
  std::optional<bundle_source> source(std::string_view id) const;
  void forget(std::string_view id);

  result<pinned> pin(std::string_view id) const;
  bool has(std::string_view id) const;
  /// What was current before any look of ours; ignored when there is something already.
  void adopt(std::string_view id, const std::string &subdir, std::shared_ptr<commit_hold> hold);
  /// A look went well. Returns the commit that was current; the same one when nothing changed.
  std::string succeeded(std::string_view id, const std::string &subdir, const std::shared_ptr<commit_hold> &hold,
                        std::uint64_t files, std::uint64_t bytes);
  void failed(std::string_view id, const error &why);
  void progress(std::string_view id, const bundle_progress &p);

  std::vector<bundle_status> status() const;

 private:
  struct entry {
    bundle_source source;
    bundle_status status;
    pinned current;
  };
  mutable std::mutex mutex_;
  std::map<std::string, entry, std::less<>> entries_;
};

}  // namespace corbel::detail
