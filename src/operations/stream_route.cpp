#include "operations/stream_route.hpp"

#include "base/utc_time.hpp"
#include "http/event_stream.hpp"
#include "json/writer.hpp"
#include "operations/chat_submission.hpp"
#include "relay/unique_id.hpp"

#include <boost/asio/use_awaitable.hpp>

namespace corbel {

namespace asio = boost::asio;

namespace {

struct listener_names {
  std::string session, stream;
};

/// What is known of a stream while it is open.
struct stream_state {
  std::uint64_t number = 0;  // of the relay
  std::string began_after;   // id of the last event before it
  relay_frame last;          // that was given

  /// What a client that comes back has seen, when it has read all.
  std::string last_id() const {
    if (!last) return began_after;
    return last->substr(4, last->find('\n') - 4);  // "id: ...\n"
  }
};

std::string now() { return detail::utc_text(std::chrono::system_clock::now()); }

event_frame frame(const std::string &id, std::string_view event, std::string_view data) {
  return std::make_shared<const std::string>(sse_frame(id.empty() ? unique_id() : id, event, data));
}

/// Its id is the last event's before it: a client that is cut off right after it comes back with that.
event_frame ready(const host_identity &who, const listener_names &names, const std::string &last) {
  std::string data;
  json_writer w(data);
  w.begin_object().member("timestamp", now()).member("session_id", names.session).member("user_type", "anonymous");
  w.member("stream_id", names.stream).member("tenant", who.tenant).member("project", who.project);
  w.member("project_events", false).end_object();
  return frame(last, "ready", data);
}

event_frame server_shutdown(const listener_names &names, const std::string &last) {
  std::string data;
  json_writer w(data);
  w.begin_object().member("timestamp", now()).member("reason", "draining").member("session_id", names.session);
  w.member("stream_id", names.stream).end_object();
  return frame(last, "server_shutdown", data);
}

http_response unavailable(const error &why) {
  http_response r{.status = 503};
  json_writer w(r.body);
  w.begin_object().key("detail").begin_object().member("error", why.message()).member("error_type", "relay.unavailable");
  w.member("retry_after", 1).end_object().end_object();
  r.fields.emplace_back("Retry-After", "1");
  return r;
}

asio::awaitable<http_response> open(std::shared_ptr<const stream_route> route, const http_request &request) {
  listener_names names{std::string(request.either("user_session_id", "User-Session-ID")),
                       std::string(request.either("stream_id", "KDC-Stream-ID"))};
  if (names.stream.empty()) co_return http_refusal(400, "missing_stream_id", "stream_id is missing");
  if (names.session.empty()) names.session = unique_id();
  if (!is_client_id(names.stream) || !is_client_id(names.session))
    co_return http_refusal(400, "bad_request",
                           "stream_id and user_session_id: expected 1 to 128 printable ASCII characters without space");
  auto relays = route->source.lock();
  if (!relays) co_return unavailable(error(status::closed, "this server is closing", "relay"));

  auto state = std::make_shared<stream_state>();
  event_stream_options options;
  options.farewell = [names, state] { return server_shutdown(names, state->last_id()); };
  options.on_end = [source = route->source, state] {
    if (auto r = source.lock()) r->close(state->number);
  };
  auto stream = std::make_shared<event_stream>(route->executor, std::move(options));
  relay_listener listener{.session_id = names.session, .stream_id = names.stream};
  listener.after = request.field("Last-Event-ID");
  // What is pushed is seen only when the relay has confirmed, for until then nobody writes the stream.
  listener.begin = [route, names, state, to = std::weak_ptr(stream)](const std::string &last) {
    state->began_after = last;
    if (auto s = to.lock()) s->push(ready(route->who, names, last));
  };
  listener.give = [state, to = std::weak_ptr(stream)](const relay_frame &f) {
    state->last = f;
    if (auto s = to.lock()) s->push(f);
  };
  auto opened = co_await relays->open(std::move(listener));
  if (!opened) co_return unavailable(opened.error());
  state->number = *opened;
  http_response response{.content_type = "text/event-stream", .stream = std::move(stream)};
  response.fields = {{"Cache-Control", "no-cache, no-transform"}, {"X-Accel-Buffering", "no"}};
  co_return response;
}

}  // namespace

void stream_route::add(http_router &router, stream_route given) {
  auto route = std::make_shared<const stream_route>(std::move(given));
  router.add("GET", "/sse/stream", {.handler = [route](const http_request &r) { return open(route, r); }});
}

}  // namespace corbel
