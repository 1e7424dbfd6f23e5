#pragma once
/// GET /metrics: everything the runtime counts, and what the host adds, in Prometheus text format 0.0.4.

#include "http/router.hpp"
#include "metrics/writer.hpp"

#include <corbel/runtime.hpp>

#include <functional>

namespace corbel {

/// more writes the host's own; it runs on the server's executor. rt must outlive the server.
void add_metrics_route(http_router &router, const runtime &rt, std::function<void(detail::metrics_writer &)> more);

}  // namespace corbel
