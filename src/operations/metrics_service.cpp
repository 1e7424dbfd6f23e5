#include "operations/metrics_service.hpp"

#include "json/document.hpp"
#include "json/writer.hpp"
#include "operations/system_page.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace corbel {

namespace asio = boost::asio;

namespace {

using answer = asio::awaitable<http_response>;

double now() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

http_response json(std::string body) { return {.body = std::move(body)}; }

}  // namespace

metrics_service::metrics_service(runtime &rt, system_reader reader, settings_function settings)
    : rt_(rt), reader_(std::move(reader)), settings_(std::move(settings)), timer_(rt.executor()) {
  view_.at = std::chrono::system_clock::now();
  view_.error = "nothing was read yet";
}

void metrics_service::start(std::chrono::milliseconds every) {
  every_ = every;
  asio::co_spawn(
      rt_.executor(), [self = shared_from_this()] { return self->read(); }, asio::detached);
}

void metrics_service::stop() {
  stopped_ = true;
  timer_.cancel();
}

asio::awaitable<void> metrics_service::read_once() {
  auto view = co_await reader_.read();
  const bool good = view.error.empty();
  view_ = std::move(view);
  if (good) history_.add(system_numbers::of(view_, *settings_()).sample(view_));
}

asio::awaitable<void> metrics_service::read() {
  while (!stopped_) {
    co_await read_once();
    if (stopped_) break;
    set_health(rt_, {.part = "fleet",
                     .state = view_.error.empty() ? health_state::ok : health_state::degraded,
                     .reason = view_.error,
                     .fresh_for = every_ + std::chrono::seconds(15)});
    timer_.expires_after(every_);
    co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  remove_health(rt_, "fleet");
}

void metrics_service::add_monitoring_route(http_router &router, const token_guard &guard) {
  if (!guard.is_on()) return;
  router.add("GET", "/monitoring/system",
             {.handler = guard.guarded([self = shared_from_this()](const http_request &) -> answer {
               if (std::chrono::system_clock::now() - self->view_.at > std::chrono::seconds(2) || !self->view_.error.empty())
                 co_await self->read_once();
               co_return json(self->body());
             })});
}

void metrics_service::add_routes(http_router &router) {
  auto self = shared_from_this();
  for (auto path : {"/metrics/ingress/system", "/metrics/proc/system"})
    router.add("GET", path, {.handler = [self](const http_request &) -> answer { co_return json(self->body()); }});
  router.add("GET", "/metrics/combined", {.handler = [self](const http_request &) -> answer {
               std::string out;
               json_writer(out)
                   .begin_object()
                   .member("timestamp", now())
                   .member("mode", "redis")
                   .key("system")
                   .raw(self->body())
                   .end_object();
               co_return json(std::move(out));
             }});
  router.add("GET", "/metrics/export", {.handler = [](const http_request &) -> answer {
               std::string out;
               json_writer(out).begin_object().member("status", "ok").member("ts", now()).end_object();
               co_return json(std::move(out));
             }});
  router.add("GET", "/", {.handler = [self](const http_request &) -> answer {
               http_response r{.body = system_page(self->view_, *self->settings_(), self->history_),
                               .content_type = "text/html; charset=utf-8"};
               r.fields = {{"Cache-Control", "no-store"},
                           {"Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"}};
               co_return r;
             }});
  router.add("POST", "/api/events/client",
             {.handler = [self](const http_request &r) -> answer { co_return self->client_event(r); }});
}

http_response metrics_service::client_event(const http_request &request) {
  auto document = json_document::parse(request.body);
  if (!document) return http_refusal(400, "bad_request", document.error().message());
  auto object = document->root().object();
  if (!object) return http_refusal(400, "bad_request", object.error().message());
  auto type = object->text("event_type"), level = object->text("level", "info");
  if (!type) return http_refusal(400, "bad_request", type.error().message());
  if (!level) return http_refusal(400, "bad_request", level.error().message());
  log_line line{.level = *level == "error"  ? log_level::error
                         : *level == "warn" ? log_level::warning
                                            : log_level::info,
                .part = "client",
                .text = std::string(*type),
                .fields = {}};
  for (auto name : {"origin", "tenant", "project", "user_id", "session_id", "conversation_id", "message"})
    if (auto text = object->text(name, ""); text && !text->empty()) line.fields.push_back({name, std::string(*text)});
  rt_.log(std::move(line));
  http_response r;
  json_writer(r.body)
      .begin_object()
      .member("status", "received")
      .member("event_type", *type)
      .member("level", *level)
      .end_object();
  return r;
}

void metrics_service::write_metrics(detail::metrics_writer &to) const {
  write_system_metrics(to, view_, system_numbers::of(view_, *settings_()), history_);
}

}  // namespace corbel
