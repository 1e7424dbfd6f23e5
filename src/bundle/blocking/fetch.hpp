#pragma once
/// Owns: getting the commit that a ref means into the mirror, and no more than that; fetched once however many processes
/// ask. Callers: the loading job. Thread: one. Blocks.

#include "bundle/blocking/store.hpp"
#include "git/blocking/remote.hpp"

#include <functional>
#include <optional>
#include <string>

namespace corbel::detail {

struct fetch_limits {
  std::uint64_t bytes = 0;  ///< received by one fetch
};

struct fetched_commit {
  std::string commit;
  std::optional<git_mirror> mirror;
  bool fetched = false;  ///< else it was there already
};

/// anew: the mirror is broken, and is thrown away first.
result<fetched_commit> fetch_commit(const repository_place &place, const git_location &where, const git_access &access,
                                    const std::string &ref, const fetch_limits &limits, bool anew,
                                    const std::function<void(const char *stage, const git_progress &)> &progress);

}  // namespace corbel::detail
