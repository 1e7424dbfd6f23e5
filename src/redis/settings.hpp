#pragma once
/// Owns: what all connections of one pool share and never changes: options, address, TLS context, client name. Callers: the
/// pool makes it, connections read it. Thread: any.

#include "redis/protocol/reply_reader.hpp"
#include "redis/url.hpp"

#include <corbel/redis_pool.hpp>

#include <boost/asio/ssl/context.hpp>

#include <memory>
#include <string>

namespace corbel::detail {

struct redis_settings {
  redis_options options;
  redis_address address;
  reply_limits limits;
  std::string client_name;                         // for CLIENT SETNAME
  std::unique_ptr<boost::asio::ssl::context> tls;  // for rediss
  const std::string &tls_name() const noexcept { return options.tls_name.empty() ? address.host : options.tls_name; }

  /// INVALID or UNSUPPORTED with one line that names the option.
  static result<std::shared_ptr<const redis_settings>> make(redis_options options, const std::string &name,
                                                            const std::string &instance);
};

/// `<name>:<instance>:<pid>:<kind>`; what is not a letter, digit or one of -_:. becomes _; at most 128 bytes.
std::string redis_client_name(std::string_view name, std::string_view instance, long pid, std::string_view kind);

}  // namespace corbel::detail
