#pragma once
/// Owns: a source as it counts: checked, its credentials out of its URL, the loader's in where it has none. Pure; any
/// thread.

#include <corbel/bundle_access.hpp>
#include <corbel/bundle_options.hpp>
#include <corbel/result.hpp>

namespace corbel::detail {

/// The source, or why it cannot be one: status::invalid, never with a secret in the text. What comes back may be given in
/// again and stays as it is.
result<bundle_source> complete_source(bundle_source s, const bundle_access &access);

}  // namespace corbel::detail
