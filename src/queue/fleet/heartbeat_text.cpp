#include "queue/fleet/heartbeat_text.hpp"

#include "json/document.hpp"
#include "json/writer.hpp"

namespace corbel::detail {

std::pair<heartbeat_text, bool> heartbeat_json(const heartbeat_options &o, const fleet_names &names, long pid,
                                               std::uint32_t load, bool draining, std::string_view metadata) {
  heartbeat_text t;
  json_writer head(t.head);
  head.begin_object().member("instance_id", o.instance).member("service_type", names.type);
  head.member("service_name", names.name).member("process_id", std::int64_t{pid}).key("port");
  o.port ? head.value(*o.port) : head.value(nullptr);
  head.member("current_load", load).member("max_capacity", o.capacity).key("last_heartbeat");

  std::string given = "{}";
  auto parsed = json_document::parse(metadata.empty() ? given : metadata);
  const bool good = parsed && parsed->root().kind() == json_kind::object;
  t.tail = R"(, "health_status": "ServiceHealth.HEALTHY")";
  if (draining) t.tail += R"(, "draining": true)";
  t.tail += R"(, "metadata": )";
  json_writer tail(t.tail);
  good ? tail.value(parsed->root()) : tail.raw(given);
  t.tail += '}';
  return {std::move(t), good};
}

std::string instance_json(std::string_view instance, const fleet_names &names) {
  std::string head;
  json_writer(head)
      .begin_object()
      .member("instance_id", instance)
      .member("service_type", names.type)
      .member("service_name", names.name)
      .key("total_processes");
  return head;
}

}  // namespace corbel::detail
