#include "operations/bundle_operation_route.hpp"

#include "json/document.hpp"
#include "json/writer.hpp"

#include <boost/asio/use_awaitable.hpp>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace corbel {

namespace {

constexpr std::chrono::milliseconds operation_time = 60s;

/// "<bundle>/operations/<operation>" after the route's begin; false when it is something else.
bool split(std::string_view rest, std::string &bundle, std::string &operation) {
  constexpr std::string_view middle = "/operations/";
  const auto at = rest.find(middle);
  if (at == rest.npos || at == 0) return false;
  bundle = rest.substr(0, at);
  operation = rest.substr(at + middle.size());
  return !operation.empty() && operation.find('/') == operation.npos && bundle.find('/') == bundle.npos;
}

/// What the handler gets.
result<std::string> operation_task(const http_request &request, const std::string &operation) {
  std::string out;
  json_writer w(out);
  w.begin_object().member("operation", operation).key("data").begin_object();
  for (const auto &[name, value] : request.query) w.member(name, value);
  if (!request.body.empty()) {
    const auto document = json_document::parse(request.body);
    if (!document) return document.error();
    const auto top = document->root().object();
    if (!top) return top.error();
    for (const auto &[name, value] : top->members())
      if (name != "data" && name != "bundle_id" && name != "config_request") w.key(name).value(value);
    if (const auto data = top->find("data")) {
      const auto inner = data->object();
      if (!inner) return inner.error();
      for (const auto &[name, value] : inner->members()) w.key(name).value(value);
    }
  }
  w.end_object().end_object();
  return out;
}

http_response failed(const error &why) {
  if (why.native() == "UNKNOWN") return http_refusal(404, "bundle.unknown", why.message());
  if (why.is(status::unavailable) || why.is(status::busy) || why.is(status::closed))
    return http_refusal(503, "bundle.unavailable", why.message());
  return http_refusal(502, "bundle.failed", why.message());
}

}  // namespace

http_response operation_response(const host_identity &who, const std::string &bundle, const std::string &operation,
                                 const result<bundle_answer> &answer) {
  if (!answer) return failed(answer.error());
  if (const auto document = json_document::parse(answer->result, {.bytes = std::size_t{16} << 20, .depth = 128}); document) {
    const auto object = document->root().object();
    const auto type = object ? object->text("content_type") : result<std::string_view>(object.error());
    const auto body = object ? object->text("body") : type;
    if (type && body && type->find_first_of("\r\n") == type->npos)
      return {.body = std::string(*body), .content_type = std::string(*type)};
  }
  http_response out;
  json_writer(out.body)
      .begin_object()
      .member("status", "ok")
      .member("tenant", who.tenant)
      .member("project", who.project)
      .member("bundle_id", bundle)
      .key(operation)
      .raw(answer->result)
      .end_object();
  return out;
}

void add_bundle_operations(http_router &router, const host_identity &who, bundle_runner &runner,
                           bundle_turns::registry_function registry, const token_guard *guard) {
  const auto begin = "/api/integrations/bundles/" + who.tenant + "/" + who.project + "/";
  const http_handler handler = [=, &runner](const http_request &request) -> asio::awaitable<http_response> {
    std::string named, operation;
    if (!split(std::string_view(request.path).substr(begin.size()), named, operation))
      co_return http_refusal(404, "not_found", "there is nothing at " + request.path);
    const auto bundle = choose_bundle(*registry(), named);
    if (!bundle) co_return failed(bundle.error());
    auto task = operation_task(request, operation);
    if (!task) co_return http_refusal(400, "bundle.request", task.error().message());
    bundle_request asked{.bundle = *bundle, .kind = "operation", .task = std::move(*task)};
    call limit{.timeout = operation_time};
    const auto answer = co_await runner.async_run(std::move(asked), {}, limit, asio::use_awaitable);
    co_return operation_response(who, *bundle, operation, answer);
  };
  for (const char *method : {"GET", "POST"})
    router.add(method, begin + "*", {.handler = guard ? guard->guarded(handler) : handler});
}

}  // namespace corbel
