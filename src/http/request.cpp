#include <corbel/http_request.hpp>

#include <boost/beast/core/string.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>

namespace corbel {

namespace urls = boost::urls;

std::string_view http_request::field(std::string_view name) const noexcept {
  for (auto &[key, value] : fields) {
    if (boost::beast::iequals(key, name)) return value;
  }
  return {};
}

std::string_view http_request::parameter(std::string_view name) const noexcept {
  for (auto &[key, value] : query) {
    if (key == name) return value;
  }
  return {};
}

std::string_view http_request::either(std::string_view parameter_name, std::string_view field_name) const noexcept {
  auto found = parameter(parameter_name);
  return found.empty() ? field(field_name) : found;
}

result<void> http_request::set_target(std::string_view target) {
  auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' || c == '-' || c == '_';
  };
  if (target.starts_with('/') && std::ranges::all_of(target, is_plain)) {  // nothing to decode: as most are
    path = target;
    query.clear();
    return {};
  }
  urls::string_view text(target.data(), target.size());
  auto parsed = target.starts_with('/') ? urls::parse_origin_form(text) : urls::parse_absolute_uri(text);
  // Other schemes may have a path that is none of ours, such as host:80.
  if (!parsed || (!parsed->path().empty() && !parsed->path().starts_with('/')))
    return error(status::invalid, "the request target is not a valid path", "http");
  path = parsed->path();
  if (path.empty()) path.push_back('/');
  query.clear();
  for (auto p : parsed->params()) query.emplace_back(std::string(p.key), std::string(p.value));
  return {};
}

}  // namespace corbel
