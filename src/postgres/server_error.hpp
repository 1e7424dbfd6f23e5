#pragma once
/// Owns: what an error of the server means. Pure.

#include <corbel/error.hpp>

#include <libpq-fe.h>
#include <string>
#include <string_view>

namespace corbel::detail {

/// CORBEL_ERROR_... of a SQLSTATE. Retriable: what may succeed when tried again as it is (40001, 40P01, 53xxx, 55P03, 57P0x,
/// 08xxx); fatal: what will not before the configuration changes (28xxx, 3D000 at connect).
std::uint32_t sqlstate_flags(std::string_view code) noexcept;
/// REFUSED with the SQLSTATE and all fields. The result is one of PGRES_FATAL_ERROR that has a SQLSTATE.
error server_error(const PGresult *r);
/// The server's own message has a SQLSTATE; libpq's (a lost connection) have none.
bool is_from_server(const PGresult *r) noexcept;
/// The session ends with it.
bool ends_session(const PGresult *r) noexcept;
/// From the text of a failed connect, made with PQERRORS_VERBOSE. `shown`: the server's address.
error connect_error(std::string_view text, const std::string &shown);
/// A text as one line.
std::string one_line(std::string_view text);

}  // namespace corbel::detail
