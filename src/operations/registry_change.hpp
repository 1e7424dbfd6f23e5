#pragma once
/// A change of the registry of bundles, as the platform's operators ask for it. Pure; any thread.

#include "json/value.hpp"

#include <corbel/bundle_registry.hpp>
#include <corbel/result.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace corbel {

struct registry_change {
  std::string registry;  ///< {"default_bundle_id", "bundles": {<id>: {...}}}, nulls written, as the platform keeps it
  std::string default_id;
  std::size_t count = 0;                                   ///< bundles that it lists
  std::string bundles;                                     ///< the changed entries, as its update messages carry them
  std::vector<std::string> changed;                        ///< their ids
  std::vector<std::pair<std::string, std::string>> props;  ///< of the changed entries that bring some: id, JSON object
};

/// body: {"op": "merge" (default) or "replace", "bundles": {<id>: {<entry>, "config"?}}, "default_bundle_id"?}. An entry
/// that is wrong refuses all of it, and so does one of those that are there, with a merge: nothing is lost by a change. A
/// default that is none of the bundles becomes the one before, or the first. Errors are status::invalid.
result<registry_change> change_registry(std::string_view now, const json_object &body);

/// The second over the first, objects member by member: {"a": {"b": 1}} and {"a": {"c": 2}} is {"a": {"b": 1, "c": 2}}.
std::string merge_json(const json_value &below, const json_value &above);

/// One entry's members as the registry has them, without settings: "id", "name", "path", "module", "singleton",
/// "description", "repo", "ref", "subdir", "git_commit".
std::string registry_entry_json(const bundle_entry &entry);

}  // namespace corbel
