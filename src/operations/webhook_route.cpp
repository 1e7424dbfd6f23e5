#include "operations/webhook_route.hpp"

#include "base/code_point.hpp"
#include "json/writer.hpp"

#include <corbel/bundle_webhook.hpp>

#include <memory>

namespace corbel {

namespace {

constexpr std::string_view prefix = "/webhooks/git/";

http_response answer(unsigned status, std::string_view what, const std::string &bundle) {
  http_response r{.status = status};
  json_writer(r.body).begin_object().member("status", what).member("bundle", bundle).end_object();
  return r;
}

http_response handle(const webhook_route &route, const http_request &request) {
  const auto bundle = request.path.substr(prefix.size());
  const auto github = request.field("X-GitHub-Event");
  auto push = verify_webhook(route.secret(bundle), {.signature = request.field("X-Hub-Signature-256"),
                                                    .token = request.field("X-Gitlab-Token"),
                                                    .event = github.empty() ? request.field("X-Gitlab-Event") : github,
                                                    .body = request.body});
  if (!push) {
    if (route.refused) route.refused("a delivery for '" + detail::one_line(bundle) + "': " + push.error().message());
    return http_refusal(401, "webhook.refused", push.error().message());
  }
  if (!push->is_push) return answer(200, "ignored", bundle);
  if (!route.look(bundle)) return http_refusal(404, "webhook.unknown", "there is no such bundle");
  return answer(202, "looking", bundle);
}

}  // namespace

void webhook_route::add(http_router &router, webhook_route route) {
  auto shared = std::make_shared<const webhook_route>(std::move(route));
  router.add("POST", std::string(prefix) + "*",
             {.handler = [shared](const http_request &request) -> boost::asio::awaitable<http_response> {
               co_return handle(*shared, request);
             }});
}

}  // namespace corbel
