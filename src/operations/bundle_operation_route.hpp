#pragma once
/// GET and POST /api/integrations/bundles/{tenant}/{project}/{bundle}/operations/{operation}: an operation of a bundle's
/// handler. The handler gets {"operation", "data": {...}}: of the body's "data" and its other members, or of the query.
///
///     200 {"status": "ok", "tenant", "project", "bundle_id", "<operation>": <result>}
///     200 <body>          where the result is {"content_type": "...", "body": "<text>"}
///     401, 403            without the token, or with a wrong one; always 403 where there is none
///     404 bundle.unknown  400 bundle.request  503 bundle.unavailable  502 bundle.failed, with the handler's error

#include "http/router.hpp"
#include "operations/bundle_turn.hpp"
#include "operations/identity.hpp"
#include "operations/token_guard.hpp"

namespace corbel {

/// The answer to the operation's result. Pure.
http_response operation_response(const host_identity &who, const std::string &bundle, const std::string &operation,
                                 const result<bundle_answer> &answer);

/// guard: none where everybody who reaches the port may. All must outlive the server.
void add_bundle_operations(http_router &router, const host_identity &who, bundle_runner &runner,
                           bundle_turns::registry_function registry, const token_guard *guard);

}  // namespace corbel
