#include "base/utc_time.hpp"
#include "json/document.hpp"
#include "json/writer.hpp"
#include "operations/health_routes.hpp"
#include "operations/knowledge_index.hpp"

#include <boost/asio/use_awaitable.hpp>

#include <charconv>
#include <unistd.h>

namespace corbel {

namespace asio = boost::asio;

namespace {
using answer = asio::awaitable<http_response>;
const call soon{.timeout = std::chrono::milliseconds(5000), .idempotent = true};
}  // namespace

void knowledge_index::add_routes(http_router &router) {
  auto self = shared_from_this();
  for (auto path : {"/api/kb/health", "/health"})
    add_health_routes(
        router, rt_, [self](bool draining) { return self->health_body(draining); }, path);
  router.add("GET", "/api/kb/health/process",
             {.handler = [self](const http_request &) -> answer { co_return self->process_body(); },
              .while_draining = true,
              .probe = true});
  router.add("GET", "/api/kb/search", {.handler = [self](const http_request &r) -> answer {
               const auto words = r.parameter("q"), limit = r.parameter("limit");
               std::int64_t n = 10;
               if (words.empty())
                 return [](auto) -> answer { co_return http_refusal(400, "bad_request", "q: is missing"); }(0);
               std::from_chars(limit.data(), limit.data() + limit.size(), n);
               return self->search(std::string(words), std::clamp<std::int64_t>(n, 1, 100));
             }});
}

answer knowledge_index::search(std::string words, std::int64_t limit) {
  auto rows = co_await pg_.async_query(
      pg_statement(
          "SELECT path, ts_rank(words, q)::float8, ts_headline('simple', left(body, 20000), q) FROM "
          "corbel_kb_resources, websearch_to_tsquery('simple', $3) q WHERE tenant = $1 AND project = $2 AND words @@ q "
          "ORDER BY 2 DESC, path LIMIT $4",
          who_.tenant, who_.project, words, limit)
          .read_only(),
      soon, asio::use_awaitable);
  if (!rows) co_return http_refusal(503, "index_unavailable", rows.error().message());
  http_response r;
  json_writer w(r.body);
  w.begin_object().key("results").begin_array();
  for (std::size_t i = 0; i < rows->rows(); ++i) {
    w.begin_object().member("path", rows->bytes(i, 0)).member("rank", rows->get<double>(i, 1));
    w.member("headline", rows->bytes(i, 2)).end_object();
  }
  w.end_array().end_object();
  co_return r;
}

http_response knowledge_index::health_body(bool draining) const {
  const auto reached = [&] {
    for (auto &p : health(rt_).parts)
      if (p.part.starts_with("postgres") && (p.state == health_state::down || p.state == health_state::stale))
        return p.reason;
    return std::string();
  }();
  http_response r{.status = draining || !reached.empty() ? 503u : 200u};
  json_writer w(r.body);
  if (!reached.empty()) {
    w.begin_object().member("detail", "Service unavailable: " + reached).end_object();
    return r;
  }
  w.begin_object().member("instance_id", who_.instance).member("service_type", "kb");
  w.member("status", draining ? "draining" : "healthy").member("service_name", "rest");
  w.member("timestamp", detail::utc_text(std::chrono::system_clock::now()));
  w.key("orchestrator")
      .begin_object()
      .member("type", "corbel")
      .member("identity", who_.instance)
      .key("health")
      .begin_object();
  w.member("orchestrator_type", "corbel")
      .member("healthy", trouble_.empty())
      .key("error")
      .text_or_null(trouble_)
      .end_object();
  w.key("queue_stats").begin_object().member("orchestrator_type", "corbel").key("queues").begin_object().end_object();
  w.member("total_pending", busy_ ? 1 : 0).end_object().end_object();
  w.key("kb_stats").begin_object().member("total_resources", stats_.resources).key("resources_by_type").begin_object();
  for (auto &[type, count] : stats_.by_type) w.member(type, count);
  w.end_object().member("total_versions", stats_.versions).member("total_size_bytes", stats_.bytes);
  w.key("registered_modules").begin_array().value("text").end_array();
  w.key("pipeline_order").begin_array().value("read").value("index").end_array().end_object();
  w.member("storage_path", folder_).end_object();
  return r;
}

http_response knowledge_index::process_body() const {
  http_response r;
  json_writer w(r.body);
  w.begin_object()
      .member("instance_id", who_.instance)
      .member("process_id", std::int64_t{::getpid()})
      .member("port", who_.port);
  w.member("service_type", "kb")
      .member("service_name", "rest")
      .member("current_load", busy_ ? 1 : 0)
      .member("max_capacity", 1);
  const auto state = health(rt_).state;
  w.member("health_status", state == health_state::ok || state == health_state::saturated ? "healthy"
                            : state == health_state::degraded                             ? "degraded"
                                                                                          : "unhealthy");
  w.member("timestamp", std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count())
      .end_object();
  return r;
}

}  // namespace corbel
