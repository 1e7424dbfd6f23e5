#pragma once
/// Owns: reading connection settings: URL, conninfo and environment, to a list of parameters. Callers: settings, the fuzz
/// test. Pure but for the environment, which comes in as a function. Thread: any.

#include <corbel/result.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace corbel::detail {

using pg_parameters = std::vector<std::pair<std::string, std::string>>;
using environment_function = std::function<const char *(const char *name)>;

/// libpq's keywords and their values, explicit ones only. INVALID with one line that never repeats a value.
result<pg_parameters> parse_conninfo(const std::string &text);

/// conninfo, completed from PG* and libpq's own defaults; where it is empty and a POSTGRES_* variable is set, from those
/// with their defaults instead of the text:
///
/// | variable | default | parameter |
/// |---|---|---|
/// | POSTGRES_HOST | localhost | host |
/// | POSTGRES_PORT | 5434 | port |
/// | POSTGRES_USER, _PASSWORD, _DATABASE | postgres | user, password, dbname |
/// | POSTGRES_SSL | false | false: sslmode=disable; true: what follows |
/// | POSTGRES_SSL_MODE | require | sslmode; upper case and _ for - allowed |
/// | POSTGRES_SSL_ROOT_CERT | | sslrootcert, unless PGSSLROOTCERT is set |
result<pg_parameters> read_conninfo(const std::string &text, const environment_function &environment);

/// The value of a parameter; empty when there is none.
const std::string &parameter(const pg_parameters &all, std::string_view name);
void set_parameter(pg_parameters &all, std::string_view name, std::string value);

struct pg_host {
  std::string host, address, port;
};
/// host, hostaddr and port of a list, one by one, as libpq reads them. INVALID when their counts do not fit.
result<std::vector<pg_host>> split_hosts(const pg_parameters &all);

}  // namespace corbel::detail
