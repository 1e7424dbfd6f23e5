/// corbel-kb: indexes the text files of a folder into PostgreSQL full-text search, and answers for it.
///
///     CORBEL_KB_FOLDER=/srv/texts PGHOST=localhost corbel-kb --port 8000
///     curl 'localhost:8000/api/kb/search?q=corbel'

#include "host/drain.hpp"
#include "host/queue.hpp"
#include "host/start.hpp"
#include "http/metrics.hpp"
#include "operations/knowledge_index.hpp"
#include "operations/metrics_route.hpp"

#include <corbel/pools.hpp>

#include <cstdio>
#include <cstdlib>
#include <optional>

namespace asio = boost::asio;

namespace {

int serve(corbel::host_options options) {
  const char *folder = std::getenv("CORBEL_KB_FOLDER");
  if (!folder || !*folder || !options.has_postgres) {
    std::fputs("corbel-kb: give CORBEL_KB_FOLDER, a folder of text files, and a POSTGRES_... or PG... variable\n", stderr);
    return 2;
  }
  asio::io_context ctx{1};
  corbel::runtime rt(ctx, options.runtime("kb"));
  corbel::pools pools(rt, options.settings());
  auto log = [&rt](const corbel::log_line &line) { rt.log(line); };
  auto beat = corbel::heartbeat_of(options, "kb:rest");
  beat.metadata = [&] { return R"({"pools": )" + pools.json() + R"(, "health": )" + health_json(corbel::health(rt)) + "}"; };
  std::optional<corbel::queue_heartbeat> heartbeat(std::in_place, pools.redis(), std::move(beat));
  auto index = std::make_shared<corbel::knowledge_index>(rt, pools.postgres(), options.identity(), folder);

  corbel::http_server *serving = nullptr;
  corbel::http_router routes;
  index->add_routes(routes);
  corbel::add_metrics_route(routes, rt, [&](corbel::detail::metrics_writer &to) { write_metrics(to, serving->stats()); });
  corbel::http_server server(ctx.get_executor(), std::move(routes), {}, log);
  serving = &server;
  index->start();
  auto leave = [&](std::chrono::milliseconds) -> asio::awaitable<std::size_t> {
    heartbeat.reset();
    co_return 0;
  };
  return corbel::run_host(ctx, rt, server, options, {.work = leave, .release = [&] { index->stop(); }});
}

}  // namespace

int main(int argc, char **argv) {
  const corbel::host_kind kind{.name = "kb",
                               .description = "Indexes text files into PostgreSQL full-text search.",
                               .port = 8000,
                               .port_variable = "KB_PORT"};
  return corbel::start_host(kind, argc, argv, serve);
}
