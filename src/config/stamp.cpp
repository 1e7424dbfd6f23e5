#include "config/stamp.hpp"

#include "json/document.hpp"
#include "json/writer.hpp"

#include <algorithm>
#include <array>

namespace corbel::detail {

std::string stamped_document(std::string_view json, bool rooted, std::string_view tenant, std::string_view project) {
  constexpr std::array replaced{"tenant", "tenant_id", "project", "project_id", "instance_id", "redis_url"};
  auto document = json_document::parse(json).value();
  auto root = document.root().object().value();
  if (auto below = rooted ? root.find("gateway") : std::nullopt) root = below->object().value();
  std::string out;
  json_writer w(out);
  w.begin_object();
  for (auto &[name, value] : root.members())
    if (std::find(replaced.begin(), replaced.end(), name) == replaced.end()) w.key(name).value(value);
  w.member("tenant", tenant).member("project", project).member("tenant_id", tenant).member("project_id", project);
  w.end_object();
  return out;
}

}  // namespace corbel::detail
