#pragma once
/// Owns: what the platform's own processes find of a bundle under their managed root: a checkout with .git and marker file,
/// under their name, made under their lock. It is a copy: whatever they do with it, the commit's folder stays as it is.
/// Callers: the loading job. Thread: one. Blocks.
///
/// It appears whole under its name; what had the name before goes, an hour later, for somebody may have code of it loaded.

#include "bundle/blocking/store.hpp"
#include "bundle/platform_names.hpp"

#include <chrono>
#include <string>

namespace corbel::detail {

struct platform_copy {
  std::filesystem::path managed;  ///< the managed root
  std::string repository;         ///< its name
  platform_marker marker;
  std::chrono::seconds patience{60};  ///< for their lock
};

/// True when it was made, false when it was there already. Throws failure.
bool keep_platform_copy(const platform_copy &what, const repository_place &place);

}  // namespace corbel::detail
