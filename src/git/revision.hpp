#pragma once
/// Which commit a ref means, among those that a repository advertises. Pure; any thread.

#include <corbel/result.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace corbel::detail {

/// A ref as the server names it.
struct git_advertised {
  std::string name;    ///< "HEAD", "refs/heads/main", "refs/tags/v1", "refs/tags/v1^{}"
  std::string id;      ///< 40 hexadecimal digits
  std::string points;  ///< the ref that a symbolic one stands for
};

/// Success, or why this may not be a ref: status::invalid, native "REF". Empty is the remote's default branch.
error check_git_ref(std::string_view ref);

bool is_hexadecimal(std::string_view text) noexcept;
/// 40 hexadecimal digits: a commit and nothing else.
inline bool is_full_commit(std::string_view ref) noexcept { return ref.size() == 40 && is_hexadecimal(ref); }

/// What to do about a ref.
struct git_choice {
  std::string name;        ///< the remote's ref to fetch; empty: none has that name
  std::string id;          ///< what it points to; of an annotated tag the commit behind it, where the server says so
  bool is_commit = false;  ///< no such ref: but the text may be the begin of a commit's id, or all of it
};

/// In this order: HEAD for an empty ref; a ref by its whole name; a branch; a tag; a commit. Errors: status::refused, native
/// "NO_REF", retriable, for it may be pushed yet.
result<git_choice> choose_git_ref(const std::vector<git_advertised> &advertised, std::string_view ref);

}  // namespace corbel::detail
