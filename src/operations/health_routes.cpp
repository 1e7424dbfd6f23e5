#include "operations/health_routes.hpp"

#include "http/probes.hpp"

namespace corbel {

http_response with_parts(http_response r, const health_summary &summary) {
  if (r.body.empty() || r.body.back() != '}') return r;
  const auto table = health_json(summary);
  const auto parts = table.find("\"parts\": ");
  r.body.pop_back();
  // The table ends with the parts and its own brace.
  r.body += (r.body.ends_with('{') ? "" : ", ") + table.substr(parts);
  return r;
}

void add_health_routes(http_router &router, const runtime &rt, std::function<http_response(bool)> platform,
                       const std::string &path) {
  add_probe_routes(router, rt);
  auto handler = [&rt, platform = std::move(platform)](const http_request &) -> boost::asio::awaitable<http_response> {
    const auto summary = health(rt);
    co_return with_parts(platform(summary.draining), summary);
  };
  router.add("GET", path, {.handler = std::move(handler), .while_draining = true, .probe = true});
}

}  // namespace corbel
