#include "bundle/source_access.hpp"

#include "bundle/path_check.hpp"
#include "git/location.hpp"
#include "git/revision.hpp"

#include <algorithm>

namespace corbel {

namespace {

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

std::vector<std::string> names_of(const std::string &list) {
  std::vector<std::string> out;
  std::string name;
  for (char c : list + ",") {
    if (c != ',' && c != ' ') {
      name += c;
    } else if (!name.empty()) {
      out.push_back(lower(std::exchange(name, {})));
    }
  }
  return out;
}

}  // namespace

bundle_access bundle_access_from(const std::function<std::optional<std::string>(const std::string &name)> &variables) {
  const auto value = [&](const char *name) { return variables(name).value_or(""); };
  return {.secret = value("GIT_HTTP_TOKEN"),
          .user = value("GIT_HTTP_USER"),
          .hosts = names_of(value("GIT_HTTP_HOSTS")),
          .ssh_key = value("GIT_SSH_KEY_PATH"),
          .known_hosts = value("GIT_SSH_KNOWN_HOSTS"),
          .ca_file = value("GIT_SSL_CAINFO")};
}

namespace detail {

namespace {

bool may_have_token(const git_location &where, const bundle_access &access) {
  if (access.secret.empty()) return false;
  return access.hosts.empty() || std::ranges::find(access.hosts, lower(where.host)) != access.hosts.end();
}

/// The same repository over https; empty when there is a port, which tells nothing about https.
std::string https_url(const git_location &where) {
  static constexpr std::string_view scheme = "ssh://";
  std::string path;
  if (where.url.starts_with(scheme)) {
    const auto slash = where.url.find('/', scheme.size());
    const auto authority = std::string_view(where.url).substr(scheme.size(), slash - scheme.size());
    const auto host = authority.substr(authority.rfind('@') + 1);
    if (host != where.host && host != where.host + ":22") return {};
    path = where.url.substr(slash);
  } else {
    path = where.url.substr(where.url.find(':') + 1);
  }
  return "https://" + where.host + (path.starts_with('/') ? "" : "/") + path;
}

}  // namespace

result<bundle_source> complete_source(bundle_source s, const bundle_access &access) {
  if (auto why = check_bundle_id(s.id)) return why;
  auto where = read_git_location(s.url);
  if (!where) return where.error();
  if (auto why = check_git_ref(s.ref)) return why;
  auto subdir = clean_subdir(s.subdir);
  if (!subdir) return subdir.error();
  s.subdir = std::move(*subdir);
  if (s.secret.empty()) s.secret = where->password;
  if (where->transport == git_transport::ssh && s.ssh_key.empty() && s.secret.empty() && may_have_token(*where, access)) {
    auto again = read_git_location(https_url(*where));
    if (again) where = std::move(again);
  }
  const bool is_https = where->transport == git_transport::https;
  if (is_https && s.secret.empty() && s.user.empty() && where->user.empty() && may_have_token(*where, access)) {
    s.secret = access.secret;
    s.user = access.user;
  }
  if (where->transport == git_transport::ssh) {
    if (s.ssh_key.empty()) s.ssh_key = access.ssh_key;
    if (s.known_hosts.empty()) s.known_hosts = access.known_hosts;
  }
  if (is_https && s.ca_file.empty()) s.ca_file = access.ca_file;
  if (s.user.empty()) s.user = where->user;
  s.url = where->url;
  return s;
}

}  // namespace detail

}  // namespace corbel
