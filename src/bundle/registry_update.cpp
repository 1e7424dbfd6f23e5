#include "bundle/registry_update.hpp"

#include "json/document.hpp"

#include <fmt/format.h>

namespace corbel::detail {

namespace {

/// Throws failure for what is no such message.
std::vector<std::string> ids_of(const json_object &root) {
  std::vector<std::string> out;
  if (const auto type = root.text("type", "bundles.update").value(); type != "bundles.update")
    throw failure(error(status::invalid, fmt::format("type: found \"{}\"; allowed: \"bundles.update\"", type), "json"));
  if (auto changed = root.find("changed_bundle_ids"); changed && !changed->is_null()) {
    const auto all = changed->array().value();
    for (const auto &id : all) out.emplace_back(id.text().value());
    return out;
  }
  const auto holder = root.find("registry") ? root.object("registry").value() : root;
  const auto bundles = holder.object("bundles").value();
  for (const auto &[id, entry] : bundles.members()) out.emplace_back(id);
  return out;
}

}  // namespace

result<std::vector<std::string>> read_registry_update(std::string_view message, std::string_view tenant,
                                                      std::string_view project) {
  auto document = json_document::parse(message);
  if (!document) return document.error();
  auto root = document->root().object();
  if (!root) return root.error();
  for (auto [key, ours] : {std::pair("tenant", tenant), std::pair("project", project)}) {
    auto theirs = root->text(key, ours);
    if (!theirs) return theirs.error();
    if (*theirs != ours)
      return error(status::invalid, fmt::format("{}: found \"{}\"; allowed: \"{}\"", key, *theirs, ours), "json");
  }
  try {
    return ids_of(*root);
  } catch (const failure &f) {
    return f.error();
  }
}

}  // namespace corbel::detail
