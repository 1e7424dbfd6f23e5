#pragma once
/// The operations API, under /admin/operations/, for who knows the token: what the queue holds, dead messages,
/// configuration, pools, bundles, levels of the log, drain.
///
///     GET  queue, configuration, pools, bundles, health
///     GET  dead?after=&count=                      a page of dead messages
///     POST dead/requeue, dead/purge                {"numbers": [1, 2]}, or {"all": true}
///     POST log-level                               {"level": "debug", "part": "redis"}; part may be missing
///     POST drain
///
/// Threads: the server's executor.

#include "operations/token_guard.hpp"
#include "operations/turn_figures.hpp"

#include <corbel/pools.hpp>
#include <corbel/queue_inspector.hpp>

#include <functional>

namespace corbel {

struct operations_routes {
  runtime &rt;
  queue_inspector queue;
  corbel::pools pools;
  const turn_figures *bundles = nullptr;  ///< none: an empty object
  std::function<void()> drain = {};       ///< begins it

  /// Nothing without a token. guard and what `routes` refers to must outlive the server.
  static void add(http_router &router, const token_guard &guard, operations_routes routes);
};

}  // namespace corbel
