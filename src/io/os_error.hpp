#pragma once
/// Owns: turning an error code of the system, of Asio or of OpenSSL into an error. Pure.

#include <corbel/error.hpp>

#include <boost/system/error_code.hpp>

#include <string_view>

namespace corbel::detail {

/// "<what>: Connection refused", source "os", native "ECONNREFUSED"; source "tls" for OpenSSL's codes. Retriable.
error os_error(status s, std::string_view what, const boost::system::error_code &ec, std::uint32_t flags = error::retriable);

}  // namespace corbel::detail
