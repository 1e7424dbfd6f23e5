#include "base/redact.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace corbel::detail {

namespace {

constexpr auto npos = std::string_view::npos;
constexpr std::string_view hidden = "***";

bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// The scheme in lower case when the text begins with "scheme://", else empty.
std::string scheme_of(std::string_view url) {
  auto end = url.find("://");
  if (end == npos || end == 0 || !is_alpha(url[0])) return {};
  std::string scheme(url.substr(0, end));
  std::ranges::transform(scheme, scheme.begin(), lower);
  bool valid =
      std::ranges::all_of(scheme, [](char c) { return is_alpha(c) || is_digit(c) || c == '+' || c == '-' || c == '.'; });
  return valid ? scheme : std::string();
}

/// host, host:port or [address]:port.
bool is_host(std::string_view text) {
  if (text.empty() || text.find('@') != npos) return false;
  auto after_name = text[0] == '[' ? text.find(']') : 0;
  if (after_name == npos) return false;
  auto colon = text.find(':', after_name);
  return colon == npos || std::ranges::all_of(text.substr(colon + 1), is_digit);
}

/// Hosts as above, separated by commas.
bool is_plain_authority(std::string_view text) {
  for (std::size_t comma; (comma = text.find(',')) != npos; text.remove_prefix(comma + 1))
    if (!is_host(text.substr(0, comma))) return false;
  return is_host(text);
}

struct range {
  std::size_t begin, end;
};

/// The user information. A password may hold '/', '?', '#' and '@' although it should not, so all up to the last '@' counts;
/// only in web addresses, whose paths often have one, a plain host before it ends the search. Without any '@' what stands in
/// the place of the port and is no number may be a password.
range user_information(std::string_view url, std::size_t begin, const std::string &scheme) {
  static constexpr std::array<std::string_view, 6> web = {"http", "https", "ws", "wss", "git+http", "git+https"};
  auto authority = url.substr(begin, url.find_first_of("/?#", begin) - begin);
  bool plain = authority.empty() || is_plain_authority(authority);
  auto at = url.substr(begin).rfind('@');
  if (at == npos) return scheme.empty() || plain ? range{0, 0} : range{begin, url.size()};
  bool is_web = std::ranges::find(web, scheme) != web.end();
  return is_web && plain && !authority.empty() ? range{0, 0} : range{begin, begin + at};
}

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  c = lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/// A parameter's name, percent-decoded, in lower case, without what separates its words.
std::string plain_name(std::string_view name) {
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    char c = name[i];
    if (c == '%' && i + 2 < name.size() && hex_digit(name[i + 1]) >= 0 && hex_digit(name[i + 2]) >= 0) {
      c = static_cast<char>(hex_digit(name[i + 1]) * 16 + hex_digit(name[i + 2]));
      i += 2;
    }
    if (c != '_' && c != '-' && c != '.' && c != '+' && c != ' ') out += lower(c);
  }
  return out;
}

bool names_secret(std::string_view name) {
  static constexpr std::array<std::string_view, 8> parts = {"pass", "pwd",        "secret", "token",
                                                            "auth", "credential", "apikey", "signature"};
  static constexpr std::array<std::string_view, 3> whole = {"key", "sig", "pw"};
  auto plain = plain_name(name);
  return std::ranges::any_of(parts, [&](auto p) { return plain.find(p) != npos; }) ||
         std::ranges::find(whole, plain) != whole.end();
}

}  // namespace

std::string redact_url(std::string_view url) {
  auto scheme = scheme_of(url);
  std::size_t begin = !scheme.empty() ? scheme.size() + 3 : url.starts_with("//") ? 2 : 0;
  std::vector<range> secrets;
  if (auto user = user_information(url, begin, scheme); user.end > user.begin) secrets.push_back(user);
  // A value reaches to the next '&': it may hold ';' and '#' although it should not.
  for (auto mark = url.find_first_of("?&;#"); mark != npos; mark = url.find_first_of("?&;#", mark + 1)) {
    auto equals = url.find_first_of("=?&;#", mark + 1);
    if (equals == npos || url[equals] != '=' || !names_secret(url.substr(mark + 1, equals - mark - 1))) continue;
    secrets.push_back({equals + 1, std::min(url.find('&', equals), url.size())});
  }
  std::string out;
  std::size_t done = 0;
  for (auto [from, to] : secrets) {
    if (from > done || done == 0) {
      out += url.substr(done, from - done);
      out += hidden;
    }
    done = std::max(done, to);
  }
  return out += url.substr(done);
}

}  // namespace corbel::detail
