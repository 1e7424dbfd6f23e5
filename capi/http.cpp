#include "capi/cancel_point.hpp"
#include "http/exchange.hpp"
#include "http/field_check.hpp"
#include "http/service_core.hpp"

#include <algorithm>
#include <deque>

using namespace corbel;
using namespace corbel::capi;

struct corbel_request {
  std::shared_ptr<detail::http_exchange> value;
  ~corbel_request() {
    if (!value->answered())
      (void)value->answer(http_refusal(500, "not_answered", "the host dropped this request without an answer"));
  }
};

namespace {

/// Requests on their way to the host. Each belongs to a connection that waits: there are no more than those.
class request_source final : public detail::event_queue::source {
 public:
  explicit request_source(std::uint64_t user) : user_(user) {}
  void put(std::shared_ptr<detail::http_exchange> e) {
    std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(e));
  }
  bool next(corbel_event &out) noexcept override {
    std::lock_guard lock(mutex_);
    while (!waiting_.empty() && waiting_.front()->answered()) waiting_.pop_front();  // 504 already
    if (waiting_.empty()) return false;
    out.kind = CORBEL_EVENT_REQUEST;
    out.source = CORBEL_SOURCE_HTTP;
    out.user = user_;
    out.object = new (std::nothrow) corbel_request{std::move(waiting_.front())};
    waiting_.pop_front();
    return true;
  }

 private:
  std::mutex mutex_;
  std::deque<std::shared_ptr<detail::http_exchange>> waiting_;
  const std::uint64_t user_;
};

std::chrono::milliseconds ms_or(std::int64_t given, std::chrono::milliseconds otherwise) {
  return given == 0 ? otherwise : std::chrono::milliseconds(given);
}

error read_http_options(const corbel_http_options *o, corbel_http_options &given, http_options &out) {
  if (o)
    if (auto why = read_options(o, given, "corbel_http_options", CORBEL_HTTP_SHARE_PORT)) return why;
  if (given.port > 65535) return invalid(fmt::format("corbel_http_options.port is {}: give 0 to 65535", given.port));
  if (given.idle_ms < 0 || given.read_ms < 0 || given.answer_ms < 0)
    return invalid("corbel_http_options has a negative time");
  out.address = text_or(given.address, "127.0.0.1");
  out.port = static_cast<std::uint16_t>(given.port);
  out.share_port = (given.flags & CORBEL_HTTP_SHARE_PORT) != 0;
  out.tls_cert = text_or(given.tls_cert, "");
  out.tls_key = text_or(given.tls_key, "");
  auto &l = out.limits;
  if (given.max_connections != 0) l.connections = given.max_connections;
  if (given.max_header_bytes != 0) l.header_bytes = std::min<std::uint64_t>(given.max_header_bytes, 1u << 30);
  if (given.max_body_bytes != 0) l.body_bytes = given.max_body_bytes;
  l.idle = ms_or(given.idle_ms, l.idle);
  l.header = ms_or(given.read_ms, l.header);
  l.body = ms_or(given.read_ms, l.body);
  return {};
}

error read_answer(const corbel_http_answer *a, http_response &out) {
  corbel_http_answer given{};
  if (auto why = read_options(a, given, "corbel_http_answer")) return why;
  if (given.reserved != 0) return error(status::unsupported, "corbel_http_answer.reserved is not 0");
  if (given.status != 0 && (given.status < 200 || given.status > 599))
    return invalid(fmt::format("corbel_http_answer.status is {}: give 200 to 599", given.status));
  if ((!given.body.data && given.body.size != 0) || (given.n != 0 && (!given.fields || given.each < sizeof(corbel_field))))
    return invalid("corbel_http_answer's body or fields are NULL");
  out.status = given.status == 0 ? 200 : given.status;
  out.content_type = text_or(given.content_type, "text/plain; charset=utf-8");
  if (!detail::is_field_value(out.content_type)) return invalid("corbel_http_answer.content_type has a line break");
  if (given.body.size != 0) out.body.assign(static_cast<const char *>(given.body.data), given.body.size);
  for (size_t i = 0; i < given.n; ++i) {
    corbel_field f;
    std::memcpy(&f, reinterpret_cast<const char *>(given.fields) + i * given.each, sizeof f);
    const std::string_view value(static_cast<const char *>(f.value.data ? f.value.data : ""), f.value.size);
    if (!f.name || !detail::is_field_name(f.name) || !detail::is_field_value(value))
      return invalid(
          fmt::format("field {} of corbel_http_answer is no header field: its name or its value is malformed", i));
    out.fields.emplace_back(f.name, value);
  }
  return {};
}

const char *text_of(std::string_view found) { return found.data(); }

}  // namespace

struct corbel_http {
  http_service value;
  std::shared_ptr<request_source> source;
  std::weak_ptr<detail::event_queue> queue;
  std::chrono::milliseconds answer;
};

corbel_status corbel_http_open(corbel_runtime *rt, const corbel_http_options *o, corbel_http **out, corbel_error **err) {
  return guard(err, [&]() -> error {
    if (!rt || !out) return invalid("the runtime or the out-parameter is NULL");
    corbel_http_options given{};
    http_options options;
    if (auto why = read_http_options(o, given, options)) return why;
    if (auto why = rt->core().refusal()) return why;
    auto made = std::unique_ptr<corbel_http>(  // NOLINTNEXTLINE(modernize-make-unique): an aggregate
        new corbel_http{
            http_service(rt->value, std::move(options)), {}, {}, ms_or(given.answer_ms, std::chrono::seconds(30))});
    if (given.to) {
      made->source = std::make_shared<request_source>(given.user);
      made->queue = given.to->queue;
    }
    *out = made.release();
    return {};
  });
}

uint16_t corbel_http_port(const corbel_http *h) { return h ? h->value.port() : 0; }

corbel_status corbel_http_route(corbel_http *h, const char *method, const char *path, corbel_error **err) {
  return guard(err, [&]() -> error {
    if (!h || !method || !path) return invalid("the server, the method or the path is NULL");
    if (!h->source) return invalid("corbel_http_options.to was NULL: routes need a queue for their requests");
    auto handler = [source = h->source, queue = h->queue, time = h->answer,
                    executor = h->value.core()->executor()](const http_request &r) -> boost::asio::awaitable<http_response> {
      auto exchange = std::make_shared<detail::http_exchange>(executor, r);
      if (auto q = queue.lock()) {
        source->put(exchange);
        q->notify(source);
      } else {
        co_return http_refusal(503, "no_reader", "the host takes no requests any more");
      }
      co_return co_await exchange->wait(time);
    };
    return h->value.route(method, path, std::move(handler)).error();
  });
}

corbel_status corbel_http_stop(corbel_http *h, const corbel_call *c, corbel_ticket *t) {
  return guard(c ? c->err : nullptr, [&]() -> error {
    if (!h) return invalid("the server is NULL");
    auto &core = *h->value.core();
    if (auto why = core.runtime().refusal()) return why;
    call options;
    completion to;
    if (auto why = completion::read(c, 0, to, options)) return why;
    const auto ticket = core.next_ticket();
    to.identify(ticket, CORBEL_SOURCE_HTTP);
    give_ticket(t, to.has_queue() ? ticket : 0);
    h->value.async_stop(options, event_handler<std::size_t>(
                                     std::move(to),
                                     [](completion &done, result<std::size_t> r) {
                                       if (r)
                                         done.succeed(CORBEL_EVENT_DONE, static_cast<std::int64_t>(*r), nullptr);
                                       else
                                         done.fail(CORBEL_EVENT_DONE, r.error());
                                     },
                                     cancel_point::make(core.runtime(), ticket, core.executor())));
    return {};
  });
}

void corbel_http_free(corbel_http *h) {
  if (h) free_handle(h, h->value.core()->runtime().forked());
}

const char *corbel_request_method(const corbel_request *r) { return r ? r->value->request().method.c_str() : ""; }
const char *corbel_request_path(const corbel_request *r) { return r ? r->value->request().path.c_str() : ""; }

corbel_status corbel_request_body(const corbel_request *r, corbel_bytes *out) {
  if (!r || !out) return CORBEL_INVALID;
  const auto &body = r->value->request().body;
  *out = {body.c_str(), body.size()};
  return CORBEL_OK;
}

const char *corbel_request_field(const corbel_request *r, const char *name) {
  return r && name ? text_of(r->value->request().field(name)) : nullptr;
}

const char *corbel_request_parameter(const corbel_request *r, const char *name) {
  return r && name ? text_of(r->value->request().parameter(name)) : nullptr;
}

corbel_status corbel_request_answer(corbel_request *r, const corbel_http_answer *a, corbel_error **err) {
  return guard(err, [&]() -> error {
    if (!r) return invalid("the request is NULL");
    http_response response;
    if (auto why = read_answer(a, response)) return why;
    return r->value->answer(std::move(response)).error();
  });
}

void corbel_request_free(corbel_request *r) { delete r; }
