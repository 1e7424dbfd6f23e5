#include "operations/health_routes.hpp"

#include "http/probes.hpp"
#include "runtime/runtime_core.hpp"

namespace corbel {

http_response with_parts(http_response r, std::string_view table) {
  if (r.body.empty() || r.body.back() != '}') return r;
  r.body.pop_back();
  if (!r.body.ends_with('{')) r.body += ", ";
  r.body += table.substr(table.find("\"parts\": "));  // to its end, with the table's own brace
  return r;
}

void add_health_routes(http_router &router, const runtime &rt, std::function<http_response(bool)> platform,
                       const std::string &path) {
  add_probe_routes(router, rt);
  auto handler = [core = rt.core(),
                  platform = std::move(platform)](const http_request &) -> boost::asio::awaitable<http_response> {
    const auto view = core->health().view();
    co_return with_parts(platform(view->summary.draining), view->json);
  };
  router.add("GET", path, {.handler = std::move(handler), .while_draining = true, .probe = true});
}

}  // namespace corbel
