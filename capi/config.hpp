#pragma once
/// Owns: what a corbel_config holds. Callers: config.cpp, pools.cpp, and what frees events.

#include <corbel/gateway.hpp>

#include <memory>

struct corbel_config {
  std::shared_ptr<const corbel::gateway_load> load;
  const corbel::gateway_settings &settings() const noexcept { return load->reading.settings; }
};
