#pragma once
/// Log lines without their secrets, whoever wrote them: what stands after a name such as password, token or Authorization,
/// credentials after Bearer and Basic, and what redact_url hides in URLs. Pure; any thread.

#include <corbel/log.hpp>

#include <string>
#include <string_view>

namespace corbel::detail {

/// True for names of what nobody may read: "password", "API-Key", "x_auth_token"; not for "tokens" and "author".
bool names_secret_field(std::string_view name);

///     password=hunter2 "api_key": "x1"      ->  password=*** "api_key": "***"
///     Authorization: Bearer eyJhbGciOi.e30  ->  Authorization: ***
std::string redact_text(std::string_view text);

/// The line's text, and its fields by their names and values.
void redact_line(log_line &line);

}  // namespace corbel::detail
