#pragma once
/// Owns: the decision what to load and what to forget when the registry is another one. Pure. Callers: who follows it.

#include <corbel/bundle_options.hpp>
#include <corbel/bundle_registry.hpp>

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace corbel::detail {

class registry_plan {
 public:
  struct change {
    std::vector<bundle_source> load;  ///< new, or another source
    std::vector<std::string> forget;
    std::vector<std::string> look;  ///< unchanged, and named by a message
  };

  registry_plan(std::chrono::milliseconds follow, bool required) : follow_(follow), required_(required) {}

  /// A message named these: whatever commit their ref had may be old.
  void named(const std::vector<std::string> &ids) { named_.insert(ids.begin(), ids.end()); }
  /// The registry was read. What it lists with a fault stays as it was, and nothing is forgotten while it has an entry
  /// whose id cannot be read.
  change read(const bundle_registry &now);
  /// The registry is not there, or cannot be read: everything stays; what was named waits for no later reading.
  change missing();
  bool has(const std::string &id) const { return applied_.contains(id); }
  bool empty() const noexcept { return applied_.empty(); }

 private:
  const std::chrono::milliseconds follow_;
  const bool required_;
  std::map<std::string, bundle_source> applied_;
  std::set<std::string> named_;
};

}  // namespace corbel::detail
