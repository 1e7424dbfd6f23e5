#pragma once
/// One request, read and decoded whole.

#include <corbel/result.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace corbel {

struct http_request {
  std::string method;                                       ///< "GET"
  std::string path;                                         ///< percent-decoded, begins with '/'
  std::vector<std::pair<std::string, std::string>> query;   ///< decoded; '+' is a space
  std::vector<std::pair<std::string, std::string>> fields;  ///< header fields, in order
  std::string body;
  std::string peer = {};  ///< IP address of the client, or of the proxy before this server

  /// First field of that name, upper or lower case; empty when there is none.
  std::string_view field(std::string_view name) const noexcept;
  /// First parameter of that name; empty when there is none.
  std::string_view parameter(std::string_view name) const noexcept;
  /// The parameter, else the field, else nothing.
  std::string_view either(std::string_view parameter_name, std::string_view field_name) const noexcept;

  /// Fills path and query from a request target ("/a%20b?x=1", or with scheme and host before it).
  result<void> set_target(std::string_view target);
};

}  // namespace corbel
