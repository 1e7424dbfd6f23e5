#include "operations/metrics_route.hpp"

namespace corbel {

void add_metrics_route(http_router &router, const runtime &rt, std::function<void(detail::metrics_writer &)> more) {
  auto handler = [&rt, more = std::move(more)](const http_request &) -> boost::asio::awaitable<http_response> {
    detail::metrics_writer own;
    more(own);
    http_response r{.content_type = "text/plain; version=0.0.4; charset=utf-8"};
    r.body = rt.metrics_text() + own.text();
    co_return r;
  };
  router.add("GET", "/metrics", {.handler = std::move(handler), .while_draining = true, .probe = true});
}

}  // namespace corbel
