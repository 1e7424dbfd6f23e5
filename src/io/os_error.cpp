#include "io/os_error.hpp"

#include <fmt/format.h>
#include <string.h>

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>

namespace corbel::detail {

error os_error(status s, std::string_view what, const boost::system::error_code &ec, std::uint32_t flags) {
  if (ec == boost::asio::error::eof) return error(s, fmt::format("{}: the peer closed the connection", what), "os", "EOF", flags);
  if (ec.category() == boost::system::system_category()) {
    const char *name = ::strerrorname_np(ec.value());
    return error(s, fmt::format("{}: {}", what, ec.message()), "os", name ? name : fmt::format("errno {}", ec.value()), flags);
  }
  const bool tls = ec.category() == boost::asio::error::get_ssl_category() || ec.category() == boost::asio::ssl::error::get_stream_category();
  return error(s, fmt::format("{}: {}", what, ec.message()), tls ? "tls" : "os", fmt::format("{} {}", ec.category().name(), ec.value()), flags);
}

}  // namespace corbel::detail
