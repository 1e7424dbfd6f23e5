#pragma once
/// Owns: what all connections of one pool share and never changes: options, parameters, hosts. Callers: the pool makes it,
/// connections read it. Thread: any.

#include "postgres/conninfo.hpp"

#include <corbel/pg_pool.hpp>

#include <memory>
#include <string>
#include <vector>

namespace corbel::detail {

struct pg_settings {
  pg_options options;
  pg_parameters parameters;    // all but the hosts; with the password
  std::vector<pg_host> hosts;  // at least one
  std::string target;          // target_session_attrs
  std::string shown;           // "db1:5432,db2:5432/app", for messages

  /// INVALID or UNSUPPORTED with one line that names the option.
  static result<std::shared_ptr<const pg_settings>> make(pg_options options, const std::string &name,
                                                         const std::string &instance);
};

/// INVALID with the reason, or success.
error check_limits(const pg_limits &l);

}  // namespace corbel::detail
