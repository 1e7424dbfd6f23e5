#include "git/location.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace corbel::detail {

namespace {

constexpr std::size_t most = 2048;

error refuse(std::string_view why) {
  return error(status::invalid, fmt::format("the repository's URL {}", why), "git", "URL", error::fatal);
}

bool is_odd(char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; }

std::string_view without_slashes(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  return path;
}

std::string name_of(std::string_view path) {
  path = without_slashes(path);
  auto name = path.substr(path.find_last_of("/:") + 1);
  if (name.ends_with(".git") && name.size() > 4) name.remove_suffix(4);
  return std::string(name);
}

/// ".git" at the end of a path names the same repository on all servers, and for files when it is a bare one.
std::string identity_path(std::string_view path, git_transport transport) {
  path = without_slashes(path);
  if (transport != git_transport::file && path.ends_with(".git")) path.remove_suffix(4);
  return std::string(without_slashes(path));
}

result<git_location> finish(git_location l, std::string_view path, std::string_view port) {
  if (path.empty() || path == "/") return refuse("has no path");
  if (l.host.starts_with('-') || l.user.starts_with('-') || path.starts_with('-'))
    return refuse("has a part that begins with '-', which could be taken for an option");
  l.name = name_of(path);
  if (l.name.empty() || l.name == "." || l.name == "..") return refuse("ends in no name");
  static constexpr const char *schemes[] = {"https", "http", "ssh", "file"};
  const auto slash = path.starts_with('/') ? "" : "/";
  l.identity = fmt::format("{}://{}{}{}{}{}", schemes[static_cast<int>(l.transport)], l.host, port.empty() ? "" : ":", port,
                           slash, identity_path(path, l.transport));
  return l;
}

/// user@host:path
result<git_location> read_scp(std::string_view text) {
  const auto colon = text.find(':');
  git_location l{.transport = git_transport::ssh, .url = std::string(text)};
  auto before = text.substr(0, colon);
  if (const auto at = before.rfind('@'); at != before.npos) {
    l.user = before.substr(0, at);
    before.remove_prefix(at + 1);
  }
  if (l.user.find(':') != l.user.npos) return refuse("holds a password: give it apart from the URL");
  l.host = before;
  if (l.host.empty()) return refuse("has no host");
  std::ranges::transform(l.host, l.host.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return finish(std::move(l), text.substr(colon + 1), "");
}

result<git_location> read_url(std::string_view text) {
  // Read as a host, what stands between two of them would be shown; it is the rest of a password.
  const auto authority = text.substr(text.find("://") + 3);
  if (std::ranges::count(authority.substr(0, authority.find_first_of("/?#")), '@') > 1)
    return refuse("has more than one '@' before its path: write %40 where it is part of a name or password");
  auto parsed = boost::urls::parse_uri({text.data(), text.size()});
  if (!parsed) return refuse("is not well formed");
  boost::urls::url url(*parsed);
  url.normalize_scheme();
  url.normalize_authority();
  const std::string scheme(url.scheme());
  git_location l;
  if (scheme == "https")
    l.transport = git_transport::https;
  else if (scheme == "http")
    l.transport = git_transport::http;
  else if (scheme == "ssh")
    l.transport = git_transport::ssh;
  else if (scheme == "file")
    l.transport = git_transport::file;
  else
    return refuse("has a scheme other than https, http, ssh and file");
  if (url.has_query() || url.has_fragment()) return refuse("has a query or a fragment");
  l.user = url.user();
  l.password = url.password();
  l.host = std::string(url.encoded_host());
  const bool is_file = l.transport == git_transport::file;
  if (is_file && (!l.host.empty() || !l.user.empty() || url.has_port())) return refuse("of a file names a host");
  if (!is_file && l.host.empty()) return refuse("has no host");
  if (std::ranges::any_of(l.user, is_odd)) return refuse("has an odd character in its user name");
  if (l.transport == git_transport::ssh) {
    const auto user = std::string(url.encoded_user());
    url.remove_userinfo();
    if (!user.empty()) url.set_encoded_user(user);
  } else if (!is_file) {
    url.remove_userinfo();
  }
  auto port = std::string(url.port());
  const auto standard = l.transport == git_transport::https ? "443" : l.transport == git_transport::http ? "80" : "22";
  if (port == standard) port.clear();
  const std::string path(url.encoded_path());
  l.url = std::string(url.buffer());
  return finish(std::move(l), path, port);
}

}  // namespace

result<git_location> read_git_location(std::string_view text) {
  if (text.empty()) return refuse("is empty");
  if (text.size() > most) return refuse(fmt::format("has {} characters; {} are the limit", text.size(), most));
  if (std::ranges::any_of(text, is_odd)) return refuse("has a space or a control character");
  if (text.starts_with('-')) return refuse("begins with '-', which could be taken for an option");
  if (text.starts_with('/')) {
    git_location l{.transport = git_transport::file, .url = std::string(text)};
    return finish(std::move(l), text, "");
  }
  if (text.find("://") != text.npos) return read_url(text);
  const auto colon = text.find(':');
  if (colon != text.npos && text.substr(0, colon).find('/') == text.npos && text.find("::") == text.npos)
    return read_scp(text);
  return refuse("is neither https://, http://, ssh://, file://, user@host:path nor an absolute path");
}

}  // namespace corbel::detail
