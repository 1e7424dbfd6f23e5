#include "gateway/update_message.hpp"

#include "json/document.hpp"
#include "json/writer.hpp"

#include <fmt/format.h>

namespace corbel::detail {

result<gateway_update> read_update(std::string_view message, std::string_view tenant, std::string_view project) {
  auto document = json_document::parse(message);
  if (!document) return document.error();
  auto root = document->root().object();
  if (!root) return root.error();
  for (auto [key, ours] : {std::pair("tenant", tenant), std::pair("project", project)}) {
    auto theirs = root->text(key, ours);
    if (!theirs) return theirs.error();
    if (*theirs != ours)
      return error(status::invalid, fmt::format("{}: found \"{}\"; allowed: \"{}\"", key, *theirs, ours), "json");
  }
  auto actor = root->text("actor", "");
  if (!actor) return actor.error();
  auto config = root->object("config");
  if (!config) return config.error();
  gateway_update u;
  u.actor = *actor;
  json_writer(u.config).value(*root->find("config"));
  return u;
}

std::string write_update(const gateway_settings &scope, std::string_view document, std::string_view actor,
                         std::chrono::system_clock::time_point now) {
  const std::chrono::duration<double> since = now.time_since_epoch();
  std::string out;
  json_writer w(out);
  w.begin_object().member("tenant", scope.tenant).member("project", scope.project).member("ts", since.count());
  w.key("config").raw(document);
  if (!actor.empty()) w.member("actor", actor);
  w.end_object();
  return out;
}

}  // namespace corbel::detail
