#pragma once
/// What a handler answers: a body, or a stream of events that begins with it.

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace corbel {

class event_stream;

struct http_response {
  unsigned status = 200;
  std::string body = {};  ///< not used when there is a stream
  std::string content_type = "application/json";
  /// Further header fields. One whose name is no token is left out; line breaks in values become blanks.
  std::vector<std::pair<std::string, std::string>> fields = {};
  std::shared_ptr<event_stream> stream = {};  ///< answers with Server-Sent Events until it ends
};

/// {"detail": {"error": line, "error_type": type}}.
http_response http_refusal(unsigned status, std::string_view type, std::string_view line);

}  // namespace corbel
