#pragma once
/// The platform's bodies of GET /health: 200 while serving, 503 with status "draining" while draining. Pure; any thread.

#include "operations/identity.hpp"

#include <corbel/http_response.hpp>

#include <chrono>

namespace corbel {

http_response ingress_health(const host_identity &who, bool draining, std::chrono::system_clock::time_point now);

/// Bundles are not run yet: their fields say that nothing is missing and nothing failed.
http_response proc_health(const host_identity &who, bool draining);

/// {"status": "ok", "ts": 1721815200.0}
http_response metrics_health(bool draining, std::chrono::system_clock::time_point now);

}  // namespace corbel
