#include "bundle/platform_names.hpp"

#include "base/json_string.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace corbel::detail {

namespace {

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

std::string json_or_null(const std::string &text) {
  if (text.empty()) return "null";
  std::string out;
  append_json_string(out, text);
  return out;
}

}  // namespace

std::string platform_ref(std::string_view ref) {
  std::string out(ref);
  for (char &c : out)
    if (!is_plain(c)) c = '-';
  const auto begin = out.find_first_not_of("-_");
  if (begin == out.npos) return "head";
  return out.substr(begin, out.find_last_not_of("-_") - begin + 1);
}

std::string platform_folder(std::string_view repository, std::string_view id, std::string_view ref) {
  std::string out(repository);
  if (id != repository) out += fmt::format("__{}", id);
  if (!ref.empty()) out += "__" + platform_ref(ref);
  return out;
}

std::string platform_lock_file(std::string_view id, std::string_view ref) {
  std::string out(id);
  if (!ref.empty()) out += "__" + platform_ref(ref);
  std::ranges::replace(out, '@', '-');
  return out + ".lock";
}

std::string platform_lock_key(std::string_view tenant, std::string_view project, std::string_view id, std::string_view ref) {
  return fmt::format("kdcube:bundles:git-lock:{}:{}:shared:{}:{}", tenant, project, id, platform_ref(ref));
}

std::string platform_marker::text() const {
  return fmt::format(
      "{{\n  \"bundle_id\": {},\n  \"commit\": {},\n  \"git_ref\": {},\n  \"git_subdir\": {},\n  \"git_url\": {},\n"
      "  \"normalized_git_url\": {},\n  \"schema\": 1\n}}",
      json_or_null(bundle_id), json_or_null(commit), json_or_null(git_ref), json_or_null(git_subdir), json_or_null(git_url),
      json_or_null(git_url));
}

}  // namespace corbel::detail
