#include "operations/system_view.hpp"

#include "json/document.hpp"
#include "json/writer.hpp"

namespace corbel {

namespace {
/// What is there, else nothing of its kind.
template <class T>
T given(result<T> r) {
  return r ? *std::move(r) : T{};
}
}  // namespace

std::optional<seen_process> seen_process::parse(std::string_view json) {
  auto document = json_document::parse(json);
  if (!document) return {};
  auto object = document->root().object();
  if (!object) return {};
  auto instance = object->text("instance_id"), type = object->text("service_type"), name = object->text("service_name");
  auto last = object->number("last_heartbeat");
  if (!instance || !type || !name || !last) return {};
  seen_process p;
  p.instance = *instance;
  p.service_type = *type;
  p.service_name = *name;
  p.last = *last;
  p.pid = given(object->integer("process_id"));
  p.load = given(object->integer("current_load"));
  p.capacity = given(object->integer("max_capacity"));
  if (auto port = object->integer("port")) p.port = *port;
  auto status = std::string(given(object->text("health_status", "")));
  for (auto &c : status) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  if (auto dot = status.rfind('.'); dot != std::string::npos) status.erase(0, dot + 1);
  p.status = status;
  p.draining = given(object->boolean("draining", false));
  if (auto metadata = object->find("metadata"); metadata && metadata->kind() == json_kind::object) {
    p.metadata.clear();
    json_writer(p.metadata).value(*metadata);
  }
  return p;
}

std::vector<const seen_process *> system_view::of(std::string_view service_name) const {
  std::vector<const seen_process *> found;
  for (auto &p : processes)
    if (p.service_type == "chat" && p.service_name == service_name) found.push_back(&p);
  return found;
}

}  // namespace corbel
