#include "io/os_error.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <fmt/format.h>
#include <openssl/err.h>

#include <cctype>
#include <string.h>  // NOLINT(modernize-deprecated-headers): strerror_r is POSIX
#include <string>

namespace corbel::detail {

namespace {

/// OpenSSL's reason as a name, "CERTIFICATE_VERIFY_FAILED"; else category and number.
std::string code_name(const boost::system::error_code &ec) {
  const char *reason = ec.category() == boost::asio::error::get_ssl_category()
                           ? ::ERR_reason_error_string(static_cast<unsigned long>(ec.value()))
                           : nullptr;
  if (!reason) return fmt::format("{} {}", ec.category().name(), ec.value());
  std::string name = reason;
  for (char &c : name) c = c == ' ' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

}  // namespace

error os_error(status s, std::string_view what, const boost::system::error_code &ec, std::uint32_t flags) {
  if (ec == boost::asio::error::eof)
    return error(s, fmt::format("{}: the peer closed the connection", what), "os", "EOF", flags);
  if (ec.category() == boost::system::system_category()) {
    const char *name = ::strerrorname_np(ec.value());
    return error(s, fmt::format("{}: {}", what, ec.message()), "os", name ? name : fmt::format("errno {}", ec.value()),
                 flags);
  }
  const bool tls = ec.category() == boost::asio::error::get_ssl_category() ||
                   ec.category() == boost::asio::ssl::error::get_stream_category();
  return error(s, fmt::format("{}: {}", what, ec.message()), tls ? "tls" : "os", code_name(ec), flags);
}

}  // namespace corbel::detail
