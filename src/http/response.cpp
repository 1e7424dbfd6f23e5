#include "http/response.hpp"

#include <fmt/format.h>

namespace corbel {

http_response http_refusal(unsigned status, std::string_view type, std::string_view line) {
  return {.status = status, .body = fmt::format(R"({{"detail": {{"error": "{}", "error_type": "{}"}}}})", line, type)};
}

}  // namespace corbel
