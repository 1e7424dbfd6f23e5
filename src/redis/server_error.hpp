#pragma once
/// Owns: what an error reply of the server means. Pure.

#include <corbel/error.hpp>

#include <string_view>

namespace corbel::detail {

/// "WRONGTYPE Operation against ..." -> REFUSED with native "WRONGTYPE". LOADING, READONLY, TRYAGAIN and the like are
/// retriable; NOAUTH, WRONGPASS and NOPERM are fatal.
error server_error(std::string_view text);

}  // namespace corbel::detail
