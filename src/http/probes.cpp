#include "http/probes.hpp"

#include "runtime/runtime_core.hpp"

namespace corbel {

namespace {

using answer = boost::asio::awaitable<http_response>;
constexpr const char *plain_text = "text/plain; charset=utf-8";

char mark(const health_part &part) {
  switch (part.state) {
    case health_state::ok:
    case health_state::saturated:
      return '+';
    case health_state::degraded:
      return '~';
    default:
      return part.required ? '-' : '~';
  }
}

bool asks_verbose(const http_request &r) {
  for (auto &[name, value] : r.query)
    if (name == "verbose") return value != "0" && value != "false";
  return false;
}

}  // namespace

http_response probe_answer(const health_summary &summary, bool live, bool verbose) {
  const bool good = live ? summary.alive : summary.ready;
  const auto &why = live ? summary.why_not_alive : summary.why_not_ready;
  http_response r{.status = good ? 200u : 503u, .content_type = plain_text};
  r.fields.emplace_back("Cache-Control", "no-store");
  if (!verbose) {
    r.body = good ? "ok" : why;
    return r;
  }
  for (auto &part : summary.parts) {
    if (live && !part.vital) continue;
    ((r.body += '[') += mark(part)) += ']';
    (r.body += part.part + ' ') += health_state_name(part.state);
    if (!part.reason.empty()) r.body += ": " + part.reason;
    r.body += part.required ? "\n" : " (not required)\n";
  }
  r.body += live ? "livez check " : "readyz check ";
  r.body += good ? "passed\n" : "failed: " + why + '\n';
  return r;
}

void add_probe_routes(http_router &router, const runtime &rt) {
  for (bool live : {true, false})
    router.add("GET", live ? "/livez" : "/readyz",
               {.handler = [core = rt.core(), live](const http_request &q) -> answer {
                  co_return probe_answer(core->health().view()->summary, live, asks_verbose(q));
                },
                .while_draining = true,
                .probe = true});
}

void add_table_routes(http_router &router, const runtime &rt) {
  router.add("GET", "/health",
             {.handler = [core = rt.core()](const http_request &) -> answer {
                const auto view = core->health().view();
                co_return http_response{.status = view->summary.ready ? 200u : 503u, .body = view->json};
              },
              .while_draining = true,
              .probe = true});
  router.add("GET", "/metrics",
             {.handler = [core = rt.core()](const http_request &) -> answer {
                co_return http_response{.body = core->metrics().text(),
                                        .content_type = "text/plain; version=0.0.4; charset=utf-8"};
              },
              .while_draining = true,
              .probe = true});
}

}  // namespace corbel
