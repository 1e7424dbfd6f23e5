#pragma once
/// Owns: reading redis://, rediss:// and unix:// URLs (https://www.iana.org/assignments/uri-schemes/prov/redis). Pure.

#include <corbel/result.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace corbel::detail {

struct redis_address {
  enum class transport { tcp, tls, unix_socket };
  transport kind = transport::tcp;
  std::string host;  ///< without brackets for IPv6; the path for a Unix socket
  std::uint16_t port = 6379;
  std::string user, password;  ///< percent-decoded
  std::uint32_t database = 0;

  /// For messages: "localhost:6379/0" or "/run/redis.sock"; no user, no password.
  std::string shown() const;
};

/// INVALID with one line that says what is wrong and never repeats the user information.
result<redis_address> parse_redis_url(std::string_view url);

}  // namespace corbel::detail
