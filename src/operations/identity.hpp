#pragma once
/// src/operations owns the platform's routes and bodies: health, chat, streams. Callers: hosts. Handlers run on the HTTP
/// server's executor; bodies are pure.
///
/// Who a host is, as its answers tell it.

#include <cstdint>
#include <string>

namespace corbel {

struct host_identity {
  std::string instance;
  std::string tenant = "home";
  std::string project = "default-project";
  std::uint16_t port = 0;
};

}  // namespace corbel
