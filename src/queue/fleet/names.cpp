#include "queue/fleet/names.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace corbel::detail {

std::pair<std::string, std::string> service_of(std::string_view component) {
  std::string lower(component);
  std::ranges::transform(lower, lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
  if (auto at = lower.find(':'); at != std::string::npos) {
    auto type = lower.substr(0, at), name = lower.substr(at + 1);
    return {type.empty() ? "chat" : type, name.empty() ? "proc" : name};
  }
  for (auto proc : {"", "proc", "processor", "chat-proc", "chat_proc"})
    if (lower == proc) return {"chat", "proc"};
  for (auto rest : {"ingress", "rest", "chat-rest", "chat_rest"})
    if (lower == rest) return {"chat", "rest"};
  return {"chat", lower};
}

fleet_names::fleet_names(std::string tenant, std::string project, std::string_view component) {
  std::tie(type, name) = service_of(component);
  if (tenant.empty()) tenant = "home";
  if (project.empty()) project = "default-project";
  scope_ = tenant + ":" + project;
  index = fmt::format("{}:kdcube:system:capacity:process-index:{}:{}", scope_, type, name);
  instance_index = scope_ + ":kdcube:heartbeat:instance:index";
  draining_index = scope_ + ":corbel:draining:index";
}

std::string fleet_names::processes(std::string_view instance) const {
  return fmt::format("{}:kdcube:heartbeat:process:{}:{}:{}:", scope_, instance, type, name);
}

std::string fleet_names::process(std::string_view instance, long pid) const {
  return processes(instance) + std::to_string(pid);
}

std::string fleet_names::instance(std::string_view instance) const {
  return fmt::format("{}:kdcube:heartbeat:instance:{}:{}:{}", scope_, instance, type, name);
}

std::string fleet_names::registry(std::string_view instance) const {
  return fmt::format("{}:kdcube:registry:{}:{}", scope_, instance, type);
}

std::string fleet_names::draining(std::string_view instance, long pid, std::string_view life) const {
  return fmt::format("{}:corbel:draining:{}:{}:{}:{}:{}", scope_, instance, type, name, pid, life);
}

}  // namespace corbel::detail
