#pragma once
/// --check: can the servers carry what the gateway document plans?

#include "host/options.hpp"

namespace corbel {

/// Asks Redis and, where there is one, PostgreSQL; prints the table of the budget. The exit status: 0; 1 when a server
/// cannot carry the plan or could not be asked.
int check_budget(const host_kind &kind, const host_options &options);

}  // namespace corbel
