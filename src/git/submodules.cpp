#include "git/submodules.hpp"

namespace corbel::detail {

namespace {

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r");
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

/// A value as git's settings write it: quotes, escapes, and a comment at its end.
std::string value_of(std::string_view text) {
  std::string out, spaces;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && (c == '#' || c == ';')) {
      break;
    } else if (!quoted && (c == ' ' || c == '\t')) {
      spaces += c;
    } else {
      out += std::exchange(spaces, {});
      out += c == '\\' && i + 1 < text.size() ? text[++i] : c;
    }
  }
  return out;
}

}  // namespace

std::map<std::string, std::string> read_gitmodules(std::string_view text) {
  std::map<std::string, std::string> out;
  std::string path, url;
  const auto finish = [&] {
    if (!path.empty() && !url.empty()) out.insert_or_assign(path, url);
    path.clear();
    url.clear();
  };
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto line = trimmed(text.substr(0, end));
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    if (line.starts_with('[')) finish();
    const auto equals = line.find('=');
    if (equals == line.npos || line.starts_with('[')) continue;
    const auto key = trimmed(line.substr(0, equals));
    if (key == "path") path = value_of(trimmed(line.substr(equals + 1)));
    if (key == "url") url = value_of(trimmed(line.substr(equals + 1)));
  }
  finish();
  return out;
}

result<git_location> submodule_location(const git_location &parent, std::string_view url) {
  std::string whole(url);
  if (url.starts_with("./") || url.starts_with("../")) {
    std::string base = parent.url;
    for (;;) {
      while (base.ends_with('/')) base.pop_back();
      if (url.starts_with("./")) {
        url.remove_prefix(2);
      } else if (url.starts_with("../")) {
        url.remove_prefix(3);
        const auto end = base.find_last_of("/:");
        if (end == base.npos) break;
        base.resize(base[end] == ':' ? end + 1 : end);
      } else {
        break;
      }
    }
    whole = base + (base.ends_with(':') ? "" : "/") + std::string(url);
  }
  auto where = read_git_location(whole);
  if (where && where->transport == git_transport::file && parent.transport != git_transport::file)
    return error(status::refused, "a submodule leads to a folder of this machine", "git", "URL", error::fatal);
  return where;
}

}  // namespace corbel::detail
