#pragma once
/// Texts as JSON strings, for what must be written where src/json cannot be used. Pure; any thread.

#include <string>
#include <string_view>

namespace corbel::detail {

/// Appends the text as a JSON string with its quotes. Control characters (C0, DEL, C1, U+2028, U+2029) are escaped, so that
/// every reader sees one line; malformed UTF-8 becomes U+FFFD, one for each longest malformed piece.
void append_json_string(std::string &out, std::string_view text);

}  // namespace corbel::detail
