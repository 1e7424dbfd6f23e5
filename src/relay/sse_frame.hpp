#pragma once
/// Frames of Server-Sent Events. Pure; any thread.

#include <memory>
#include <string>
#include <string_view>

namespace corbel {

/// A complete frame; one text may be on its way to many clients.
using relay_frame = std::shared_ptr<const std::string>;

/// "id: ...\nevent: ...\ndata: ...\n\n". data is JSON: a line break in it stands between tokens and becomes a space, so
/// that it stays one line. Only CR and LF end a line here; U+2028, U+2029 and U+0085 do not.
std::string sse_frame(std::string_view id, std::string_view event, std::string_view data);

}  // namespace corbel
