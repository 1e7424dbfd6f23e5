#include "redis/server_error.hpp"

#include <cctype>
#include <string>

namespace corbel::detail {

error server_error(std::string_view text) {
  std::string_view code = text.substr(0, text.find(' '));
  bool is_code = !code.empty();
  for (char c : code)
    is_code =
        is_code && (std::isupper(static_cast<unsigned char>(c)) || std::isdigit(static_cast<unsigned char>(c)) || c == '_');
  if (!is_code) code = "ERR";
  std::uint32_t flags = 0;
  for (std::string_view retriable : {"LOADING", "READONLY", "TRYAGAIN", "CLUSTERDOWN", "MASTERDOWN", "BUSY", "NOREPLICAS"})
    if (code == retriable) flags |= error::retriable;
  for (std::string_view fatal : {"NOAUTH", "WRONGPASS", "NOPERM"})
    if (code == fatal) flags |= error::fatal;
  if (text.starts_with("ERR max number of clients")) flags |= error::retriable;
  if (text.starts_with("ERR invalid password") || text.starts_with("ERR AUTH")) flags |= error::fatal;
  std::string line(text);
  for (char &c : line)
    if (c == '\r' || c == '\n' || c == '\0') c = ' ';
  return error(status::refused, std::move(line), "redis", std::string(code), flags);
}

}  // namespace corbel::detail
