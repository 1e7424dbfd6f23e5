#pragma once
/// Owns: what is read out of a message on the registry's update channel. Pure.
///
/// Two shapes are around: {"tenant", "project", "op", "ts", "registry": {"default_bundle_id", "bundles"}}, and {"type":
/// "bundles.update", "op", "bundles", "changed_bundle_ids"?, ...}. What they carry is a hint: the registry is read again in
/// any case.

#include <corbel/result.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace corbel::detail {

/// The ids that it names; status::invalid when it is no such message, or for another tenant or project.
result<std::vector<std::string>> read_registry_update(std::string_view message, std::string_view tenant,
                                                      std::string_view project);

}  // namespace corbel::detail
