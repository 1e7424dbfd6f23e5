#pragma once
/// What the callers of a pool are told that has ended. Pure; any thread.

#include <corbel/error.hpp>

namespace corbel::detail {

inline error pool_closed(const char *source) { return error(status::closed, "the pool was closed: open a new one", source); }
inline error pool_freed(const char *source) {
  return error(status::cancelled, "cancelled: the pool was freed or its runtime ended", source);
}

}  // namespace corbel::detail
