#pragma once
/// What is published when the document changes: {"tenant", "project", "ts": seconds, "config": document, "actor"?}. Pure.

#include <corbel/config.hpp>

#include <chrono>
#include <string>
#include <string_view>

namespace corbel::detail {

struct gateway_update {
  std::string config;  ///< JSON of the document
  std::string actor;   ///< empty when it does not say
};

/// status::invalid with one line when it is no such message, or one for another tenant or project.
result<gateway_update> read_update(std::string_view message, std::string_view tenant, std::string_view project);

std::string write_update(const gateway_settings &scope, std::string_view document, std::string_view actor,
                         std::chrono::system_clock::time_point now);

}  // namespace corbel::detail
