#pragma once
/// A document as it is kept in Redis for all components.

#include <string>
#include <string_view>

namespace corbel::detail {

/// The document with tenant, project, tenant_id and project_id set, without instance_id and redis_url, which are no
/// replica's business but its own; everything else is kept as it is. rooted: as in gateway_context. The document was read
/// without fault.
std::string stamped_document(std::string_view json, bool rooted, std::string_view tenant, std::string_view project);

}  // namespace corbel::detail
