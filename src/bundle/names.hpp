#pragma once
/// How folders under the root are called: readable, safe as a file name, and different for what is different. Pure.

#include "git/location.hpp"

#include <string>
#include <string_view>

namespace corbel::detail {

/// "<name>-<16 hexadecimal digits>": the digits are of the repository's identity.
std::string repository_folder(const git_location &where);
/// "<id>-<16 hexadecimal digits>": the digits are of the id, so that "a/b" and "a-b" have folders of their own.
std::string bundle_folder(std::string_view id);

}  // namespace corbel::detail
