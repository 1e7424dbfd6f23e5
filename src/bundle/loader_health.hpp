#pragma once
/// What a loader's bundles say about the host's health. Pure.

#include <corbel/bundle_options.hpp>
#include <corbel/health.hpp>

#include <vector>

namespace corbel::detail {

/// down: a required bundle has no commit and its last look failed; unknown: it is still coming; degraded: one is stale, or
/// one that is not required is missing; else ok. The reason names the worst.
health_report loader_health(const std::string &name, const std::vector<bundle_status> &all);

}  // namespace corbel::detail
