#include "bundle/registry_plan.hpp"

#include "git/revision.hpp"

#include <algorithm>

namespace corbel::detail {

registry_plan::change registry_plan::read(const bundle_registry &now) {
  change out;
  std::set<std::string> listed;
  bool hides_an_id = false;
  for (const auto &f : now.faults) {
    if (!f.id.empty())
      listed.insert(f.id);
    else
      hides_an_id = hides_an_id || (f.path != "default_bundle_id" && !f.path.ends_with(".default_bundle_id"));
  }
  for (const auto &e : now.entries) {
    if (e.repo.empty()) continue;
    listed.insert(e.id);
    bundle_source s{.id = e.id, .url = e.repo, .ref = e.ref, .subdir = e.subdir, .required = required_};
    // A commit stays what it is.
    if (!is_full_commit(e.ref)) s.follow = follow_;
    auto it = applied_.find(e.id);
    if (it == applied_.end() || it->second != s) {
      applied_.insert_or_assign(e.id, s);
      out.load.push_back(std::move(s));
    } else if (named_.contains(e.id)) {
      out.look.push_back(e.id);
    }
  }
  named_.clear();
  if (hides_an_id) return out;
  for (auto it = applied_.begin(); it != applied_.end();) {
    if (listed.contains(it->first)) {
      ++it;
      continue;
    }
    out.forget.push_back(it->first);
    it = applied_.erase(it);
  }
  return out;
}

registry_plan::change registry_plan::missing() {
  change out;
  for (const auto &id : named_)
    if (applied_.contains(id)) out.look.push_back(id);
  named_.clear();
  return out;
}

}  // namespace corbel::detail
