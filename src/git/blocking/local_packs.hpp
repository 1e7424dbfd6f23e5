#pragma once
/// Owns: the quick begin of a mirror of a repository on this machine: its packs and loose objects are copied as the files
/// that they are, where libgit2 would pack all of them anew. Callers: the fetch, under the mirror's lock. Thread: one.
/// Blocks on the disk. Objects are checked when they are read, as always.

#include "git/blocking/mirror.hpp"
#include "git/location.hpp"

#include <cstdint>
#include <functional>

namespace corbel::detail {

/// Told of the bytes copied so far.
using copied_function = std::function<void(std::uint64_t bytes)>;

/// False when it was not done, and the ordinary way is to be gone: the mirror holds something already, the repository
/// borrows objects from another one, has only a part of its history, is too large or changed meanwhile.
bool copy_local_packs(const git_location &from, const git_mirror &to, std::uint64_t most_bytes, const copied_function &told);

}  // namespace corbel::detail
