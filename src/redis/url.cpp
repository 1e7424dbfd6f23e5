#include "redis/url.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <fmt/format.h>

#include <charconv>

namespace corbel::detail {

namespace {

error wrong(std::string_view what) {
  return error(status::invalid,
               fmt::format("the Redis URL {}; use redis://[user[:password]@]host[:port][/db], rediss:// or "
                           "unix://[user[:password]@]/path[?db=n]",
                           what),
               "redis", "URL");
}

bool read_database(std::string_view text, std::uint32_t &out) {
  auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out);
  return ec == std::errc() && end == text.data() + text.size() && out <= 0x7fffffff;
}

}  // namespace

std::string redis_address::shown() const {
  if (kind == transport::unix_socket) return host;
  return host.find(':') == host.npos ? fmt::format("{}:{}/{}", host, port, database)
                                     : fmt::format("[{}]:{}/{}", host, port, database);
}

result<redis_address> parse_redis_url(std::string_view text) {
  if (text.empty()) return wrong("is empty");
  auto parsed = boost::urls::parse_uri(text);
  if (!parsed) return wrong("is not a URL (reserved characters in user or password must be percent-encoded)");
  const boost::urls::url_view &url = *parsed;
  redis_address a;
  const std::string scheme = url.scheme();
  if (scheme == "redis")
    a.kind = redis_address::transport::tcp;
  else if (scheme == "rediss")
    a.kind = redis_address::transport::tls;
  else if (scheme == "unix" || scheme == "redis+unix")
    a.kind = redis_address::transport::unix_socket;
  else
    return wrong("has a scheme that is none of redis, rediss, unix");

  a.user = url.user();
  if (url.has_password()) a.password = url.password();
  if (!a.user.empty() && !url.has_password()) std::swap(a.user, a.password);  // redis://secret@host is the password alone
  if (a.user == "default") a.user.clear();
  if (a.user.find('\0') != a.user.npos || a.password.find('\0') != a.password.npos)
    return wrong("has a NUL in user or password");
  if (url.has_fragment()) return wrong("has a fragment; a '#' in user or password must be written %23");

  for (auto param : url.params()) {
    if (param.key != "db") return wrong("has a parameter other than db");
    if (!read_database(param.value, a.database)) return wrong("has a db that is not a number");
  }
  if (a.kind == redis_address::transport::unix_socket) {
    a.host = url.path();
    if (!url.host().empty()) return wrong("has a host before the path of a Unix socket; write unix:///path");
    if (a.host.size() < 2 || a.host.find('\0') != a.host.npos) return wrong("has no path of a socket");
    if (a.host.size() > 107) return wrong("has a path longer than the 107 bytes a socket address holds");
    return a;
  }
  a.host = url.host_type() == boost::urls::host_type::ipv6 ? url.host_address() : url.host();
  if (a.host.empty()) a.host = "localhost";
  if (a.host.find('\0') != a.host.npos) return wrong("has a NUL in its host");
  if (url.has_port() && !url.port().empty()) {
    const std::string digits = url.port();
    std::uint32_t port = 0;
    auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (ec != std::errc() || port == 0 || port > 65535) return wrong("has a port that is not between 1 and 65535");
    a.port = static_cast<std::uint16_t>(port);
  }
  std::string path = url.path();
  if (!path.empty() && path != "/") {
    if (!read_database(std::string_view(path).substr(1), a.database))
      return wrong("has a path that is not the number of a database");
  }
  return a;
}

}  // namespace corbel::detail
