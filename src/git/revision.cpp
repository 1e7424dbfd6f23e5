#include "git/revision.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace corbel::detail {

namespace {

error refuse(std::string_view why) {
  return error(status::invalid, fmt::format("the ref {}", why), "git", "REF", error::fatal);
}

const git_advertised *find(const std::vector<git_advertised> &all, std::string_view name) {
  auto it = std::ranges::find(all, name, &git_advertised::name);
  return it != all.end() ? &*it : nullptr;
}

}  // namespace

bool is_hexadecimal(std::string_view text) noexcept {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

error check_git_ref(std::string_view ref) {
  if (ref.empty()) return {};
  if (ref.size() > 255) return refuse(fmt::format("has {} characters; 255 are the limit", ref.size()));
  if (ref.starts_with('-')) return refuse("begins with '-', which could be taken for an option");
  if (ref.starts_with('/') || ref.ends_with('/') || ref.ends_with('.') || ref == "@") return refuse("begins or ends oddly");
  for (char c : ref)
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || std::string_view("~^:?*[\\").find(c) != std::string_view::npos)
      return refuse("has a character that no ref has");
  if (ref.find("..") != ref.npos || ref.find("@{") != ref.npos || ref.find("//") != ref.npos)
    return refuse("has '..', '//' or '@{' in it");
  for (std::size_t from = 0; from <= ref.size();) {
    const auto end = std::min(ref.find('/', from), ref.size());
    const auto part = ref.substr(from, end - from);
    if (part.starts_with('.') || part.ends_with(".lock"))
      return refuse("has a part that begins with '.' or ends with '.lock'");
    from = end + 1;
  }
  return {};
}

result<git_choice> choose_git_ref(const std::vector<git_advertised> &advertised, std::string_view ref) {
  const auto at = [&](const std::string &name) -> result<git_choice> {
    auto *found = find(advertised, name);
    if (!found) return error(status::refused, "none", "git", "NO_REF", error::retriable);
    if (auto *peeled = find(advertised, name + "^{}")) return git_choice{name, peeled->id, false};
    return git_choice{found->points.empty() ? name : found->points, found->id, false};
  };
  if (ref.empty()) {
    auto head = at("HEAD");
    if (head) return head;
    return error(status::refused, "the repository has no default branch: give a ref", "git", "NO_REF", error::retriable);
  }
  if (!is_full_commit(ref)) {
    const std::string name(ref);
    for (const auto &candidate :
         {name.starts_with("refs/") ? name : std::string(), "refs/heads/" + name, "refs/tags/" + name}) {
      if (candidate.empty()) continue;
      auto found = at(candidate);
      if (found) return found;
    }
  }
  if (ref.size() >= 4 && ref.size() <= 40 && is_hexadecimal(ref)) return git_choice{"", "", true};
  return error(status::refused, fmt::format("the repository has no branch or tag '{}'", ref), "git", "NO_REF",
               error::retriable);
}

}  // namespace corbel::detail
