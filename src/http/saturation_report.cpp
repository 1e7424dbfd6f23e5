#include "http/saturation_report.hpp"

#include "runtime/runtime_core.hpp"

#include <fmt/format.h>

namespace corbel {

void report_saturation(http_server &server, const std::shared_ptr<detail::runtime_core> &runtime, const std::string &part) {
  server.on_full([weak = std::weak_ptr(runtime), part, most = server.limits().connections](bool full) {
    auto rt = weak.lock();
    if (!rt) return;
    rt->health().set({.part = part,
                      .state = full ? health_state::saturated : health_state::ok,
                      .reason = full ? fmt::format("all {} connections are taken, more are turned away", most) : ""});
  });
}

}  // namespace corbel
