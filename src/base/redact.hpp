#pragma once
/// URLs without their secrets, for log lines and error messages. Pure; any thread.

#include <string>
#include <string_view>

namespace corbel::detail {

/// The URL with its user information, and the values of query parameters that are named like a secret (password, token,
/// ...), replaced by "***". Takes any text: where it is no well-formed URL it rather hides too much than too little.
///     redis://user:secret@db:6379/0   ->  redis://***@db:6379/0
///     postgres://db/x?password=secret ->  postgres://db/x?password=***
std::string redact_url(std::string_view url);

}  // namespace corbel::detail
