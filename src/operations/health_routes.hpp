#pragma once
/// The probes of a host: its own GET /health in the platform's form, with `parts` added, and /livez and /readyz. All are
/// answered from the health table. Threads: the server's executor.

#include "http/router.hpp"

#include <corbel/health.hpp>

#include <functional>
#include <string_view>

namespace corbel {

/// The same response with a member "parts" at the end of its JSON object: {"redis:main": {"state": ..., ...}, ...}; table is
/// what health_json tells.
http_response with_parts(http_response platform, std::string_view table);

/// path: "/health". platform makes the platform's body; draining: what it says of that.
void add_health_routes(http_router &router, const runtime &rt, std::function<http_response(bool draining)> platform,
                       const std::string &path = "/health");

}  // namespace corbel
