#pragma once
/// The platform's own routes for its operators' work with bundles, for who knows the operations token; the same under
/// /internal/ for callers on this machine, without one.
///
///     GET  /admin/integrations/bundles                      what is listed, with commit and state
///     POST /admin/integrations/bundles                      {"op": "merge"|"replace", "bundles", "default_bundle_id"?}
///     POST /admin/integrations/bundles/reload-authority     {"bundle_id"?}: all processes read the registry again
///     POST /admin/integrations/bundles/cleanup              what nobody uses is removed, here and in other processes
///     GET  /admin/integrations/bundles/{id}/props           settings
///     POST /admin/integrations/bundles/{id}/props           {"op": "replace"|"merge", "props"}
///     POST /internal/bundles/update, .../reload-authority   the same bodies
///     POST /internal/bundles/status                         {"bundle_id"}
///
/// Changes go to the registry in Redis, compared with what was read, and its update message leaves with them: two changes at
/// once lose nothing. Where a file is the registry, changes are refused with 409: the file is changed. 400 says what is
/// wrong with a body, also with its tenant or project when they are others than the host's; 503 when Redis cannot be asked.

#include "http/router.hpp"
#include "operations/bundle_turn.hpp"
#include "operations/identity.hpp"
#include "operations/token_guard.hpp"

#include <corbel/bundle_follow.hpp>

namespace corbel {

struct bundle_admin_routes {
  host_identity who;
  redis_pool redis;
  bundles &loader;
  bundle_turns::registry_function registry;
  std::string file = {};  ///< that is the registry; empty: it is in Redis

  /// The routes of /admin/ only with a guard that is on. guard and what `routes` refers to must outlive the server.
  static void add(http_router &router, const token_guard &guard, bundle_admin_routes routes);
};

}  // namespace corbel
