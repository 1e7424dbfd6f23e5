/// corbel-metrics: shows the fleet that Redis tells of: the platform's metrics routes, text for Prometheus, and a page.
///
///     corbel-metrics --port 8090 --redis-url redis://localhost
///     xdg-open http://localhost:8090/

#include "http/metrics.hpp"

#include "host/drain.hpp"
#include "host/queue.hpp"
#include "host/start.hpp"
#include "operations/health_body.hpp"
#include "operations/health_routes.hpp"
#include "operations/metrics_route.hpp"
#include "operations/metrics_service.hpp"

#include <corbel/pools.hpp>

namespace asio = boost::asio;

namespace {

int serve(corbel::host_options options) {
  asio::io_context ctx{1};
  corbel::runtime rt(ctx, options.runtime("metrics"));
  corbel::pools pools(rt, options.settings());
  auto redis = pools.redis();
  corbel::gateway_config config(rt, redis, options.load);
  pools.follow(config);
  auto log = [&rt](const corbel::log_line &line) { rt.log(line); };
  const auto who = options.identity();
  auto service = std::make_shared<corbel::metrics_service>(
      rt, corbel::system_reader(redis, who.tenant, who.project, corbel::queue_of(options)),
      [pools] { return pools.settings(); });

  corbel::http_server *serving = nullptr;
  corbel::http_router routes;
  corbel::add_health_routes(
      routes, rt, [](bool draining) { return corbel::metrics_health(draining, std::chrono::system_clock::now()); });
  corbel::add_metrics_route(routes, rt, [&](corbel::detail::metrics_writer &to) {
    write_metrics(to, serving->stats());
    service->write_metrics(to);
  });
  service->add_routes(routes);
  corbel::http_server server(ctx.get_executor(), std::move(routes), {}, log);
  serving = &server;
  service->start();
  return corbel::run_host(ctx, rt, server, options, {.release = [&] { service->stop(); }});
}

}  // namespace

int main(int argc, char **argv) {
  const corbel::host_kind kind{.name = "metrics",
                               .description = "Shows the fleet: routes of the platform's metrics service, and a page.",
                               .port = 8090,
                               .port_variable = "METRICS_PORT"};
  return corbel::start_host(kind, argc, argv, serve);
}
