#pragma once
/// The routes that an orchestrator probes, answered from the health table: nothing is asked of any server meanwhile.
///
///  - GET /livez, /readyz: 200 "ok", or 503 and why not, as text. With ?verbose a line for each part: "[+]redis:main ok".
///  - GET /health: the whole table as JSON; 200, or 503 where the host is not ready.
///  - GET /metrics: what the runtime counts, in Prometheus text format 0.0.4.

#include "http/router.hpp"

#include <corbel/health.hpp>
#include <corbel/runtime.hpp>

namespace corbel {

/// Pure. live: for /livez, else for /readyz.
http_response probe_answer(const health_summary &summary, bool live, bool verbose);

/// /livez and /readyz. They hold a share of the runtime.
void add_probe_routes(http_router &router, const runtime &rt);
/// /health and /metrics, where a host has none of its own.
void add_table_routes(http_router &router, const runtime &rt);

}  // namespace corbel
