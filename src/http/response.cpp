#include "base/json_string.hpp"

#include <corbel/http_response.hpp>

namespace corbel {

http_response http_refusal(unsigned status, std::string_view type, std::string_view line) {
  http_response r{.status = status, .body = "{\"detail\": {\"error\": "};
  detail::append_json_string(r.body, line);
  r.body += ", \"error_type\": ";
  detail::append_json_string(r.body, type);
  r.body += "}}";
  return r;
}

}  // namespace corbel
