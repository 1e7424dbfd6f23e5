#include "bundle/path_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <vector>

namespace corbel::detail {

namespace {

error refuse(std::string text) { return error(status::refused, std::move(text), "bundle", "PATH", error::fatal); }

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

/// For a message: what is odd in it must not reach a log.
std::string shown(std::string_view text) {
  std::string out(text.substr(0, 200));
  for (char &c : out)
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f) c = '?';
  return out;
}

std::vector<std::string_view> parts(std::string_view path) {
  std::vector<std::string_view> out;
  for (std::size_t from = 0;;) {
    const auto end = path.find('/', from);
    out.push_back(path.substr(from, end == path.npos ? end : end - from));
    if (end == path.npos) return out;
    from = end + 1;
  }
}

/// ".git" in any case, and with what some file systems leave out: trailing dots and spaces.
bool is_dot_git(std::string_view part) {
  while (part.size() > 4 && (part.ends_with('.') || part.ends_with(' '))) part.remove_suffix(1);
  static constexpr std::string_view dot_git = ".git";
  return std::ranges::equal(part, dot_git, [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
}

}  // namespace

error check_bundle_id(std::string_view id) {
  const auto refuse_id = [](const char *why) {
    return error(status::invalid, fmt::format("the bundle's id {}", why), "bundle", "ID", error::fatal);
  };
  if (id.empty()) return refuse_id("is empty");
  if (id.size() > 200) return refuse_id("is longer than 200 characters");
  if (has_control(id)) return refuse_id("has a control character");
  if (id.front() == '-' || id.front() == '.' || id.front() == '/') return refuse_id("begins with '-', '.' or '/'");
  return {};
}

result<std::string> clean_subdir(std::string_view subdir) {
  const auto refuse_subdir = [](const char *why) {
    return error(status::invalid, fmt::format("the subfolder {}", why), "bundle", "SUBDIR", error::fatal);
  };
  if (subdir.starts_with('/')) return refuse_subdir("is absolute: give it from the repository's root");
  if (subdir.size() > 1024 || has_control(subdir)) return refuse_subdir("is too long or has a control character");
  std::string out;
  for (auto part : parts(subdir)) {
    if (part.empty() || part == ".") continue;
    if (part == "..") return refuse_subdir("leads upwards with '..'");
    if (is_dot_git(part)) return refuse_subdir("names .git");
    if (!out.empty()) out += '/';
    out += part;
  }
  return out;
}

error check_entry_path(std::string_view path, std::size_t most_path) {
  if (path.size() > most_path)
    return refuse(fmt::format("a path has {} bytes; {} are the limit: {}", path.size(), most_path, shown(path)));
  if (has_control(path)) return refuse(fmt::format("a path has a control character: {}", shown(path)));
  for (auto part : parts(path)) {
    if (part.empty() || part == "." || part == ".." || is_dot_git(part))
      return refuse(fmt::format("a path that no checkout has: {}", shown(path)));
    if (part.size() > 255) return refuse(fmt::format("a name longer than 255 bytes: {}", shown(path)));
  }
  return {};
}

error check_links(const std::map<std::string, std::string, std::less<>> &links) {
  for (const auto &[path, target] : links) {
    const auto outside = [&path = path] {
      return refuse(fmt::format("a symbolic link leads outside the repository: {}", shown(path)));
    };
    std::string here(path.substr(0, path.rfind('/') == path.npos ? 0 : path.rfind('/')));
    std::deque<std::string> left;
    const auto enter = [&left](std::string_view text) {
      auto all = parts(text);
      for (auto it = all.rbegin(); it != all.rend(); ++it) left.emplace_front(*it);
    };
    if (target.empty() || target.starts_with('/') || target.find('\0') != target.npos) return outside();
    enter(target);
    for (unsigned followed = 0; !left.empty();) {
      const auto part = std::move(left.front());
      left.pop_front();
      if (part.empty() || part == ".") continue;
      if (part == "..") {
        if (here.empty()) return outside();
        const auto slash = here.rfind('/');
        here.erase(slash == here.npos ? 0 : slash);
        continue;
      }
      const auto next = here.empty() ? part : here + "/" + part;
      const auto link = links.find(next);
      if (link == links.end()) {
        here = next;
        continue;
      }
      // A loop leads nowhere, so neither outside: the system says so when it is followed.
      if (++followed > 64) break;
      if (link->second.empty() || link->second.starts_with('/')) return outside();
      enter(link->second);
    }
  }
  return {};
}

}  // namespace corbel::detail
