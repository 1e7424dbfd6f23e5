#pragma once
/// The platform's bodies of GET /health: 200 while serving, 503 with status "draining" while draining. Pure; any thread.

#include "operations/identity.hpp"

#include <corbel/bundle_options.hpp>
#include <corbel/http_response.hpp>

#include <chrono>
#include <span>

namespace corbel {

http_response ingress_health(const host_identity &who, bool draining, std::chrono::system_clock::time_point now);

/// bundles: all of a host's; none where it has none. 503 "not_ready" while one is loading or the last look of one failed:
/// then bundles_git_errors says why, and it is ready again by itself when that is mended.
http_response proc_health(const host_identity &who, bool draining, std::span<const bundle_status> bundles = {});

/// {"status": "ok", "ts": 1721815200.0}
http_response metrics_health(bool draining, std::chrono::system_clock::time_point now);

}  // namespace corbel
