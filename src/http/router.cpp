#include "http/router.hpp"

namespace corbel {

void http_router::add(std::string method, std::string path, http_route route) {
  paths_[std::move(path)].insert_or_assign(std::move(method), std::move(route));
}

http_router::match http_router::find(std::string_view method, std::string_view path) const {
  auto at = paths_.find(path);
  for (auto end = path.rfind('/'); at == paths_.end() && end != path.npos && end + 1 != 0;) {
    at = paths_.find(std::string(path.substr(0, end)) + "/*");
    if (end == 0) break;
    end = path.rfind('/', end - 1);
  }
  if (at == paths_.end()) return {};
  auto &methods = at->second;
  auto found = methods.find(method);
  if (found == methods.end() && method == "HEAD") found = methods.find("GET");
  if (found != methods.end()) return {.route = &found->second};
  match none;
  for (auto &[name, route] : methods) {
    if (!none.allow.empty()) none.allow += ", ";
    none.allow += name == "GET" ? "GET, HEAD" : name;
  }
  return none;
}

}  // namespace corbel
