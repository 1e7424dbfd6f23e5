/// corbel-proc: works the queue, each message by the handler of its bundle, or, without bundles, by counting its words. It
/// publishes progress and result on the channel of the message's session, before it settles: what dies in between is worked
/// again, and readers know the copy by its id.
///
///     corbel-proc --port 8020 --redis-url redis://localhost --concurrency 8
///     BUNDLES_YAML_DESCRIPTOR_PATH=bundles.yaml corbel-proc --bundles-root /var/lib/corbel/bundles
///
/// While it takes work, its heartbeats say what it can hold; when it drains, it is out of the fleet's capacity at once.

#include "host/bundles.hpp"
#include "host/document_follower.hpp"
#include "host/drain.hpp"
#include "host/queue.hpp"
#include "host/start.hpp"
#include "host/supervisor.hpp"
#include "http/metrics.hpp"
#include "operations/health_body.hpp"
#include "operations/health_routes.hpp"
#include "operations/metrics_route.hpp"
#include "operations/operations_routes.hpp"
#include "proc_worker.hpp"

#include <corbel/pools.hpp>
#include <corbel/redis_monitor.hpp>

#include <boost/asio/io_context.hpp>

namespace asio = boost::asio;

namespace {

int serve(corbel::host_options options) {
  asio::io_context ctx{1};
  corbel::runtime rt(ctx, options.runtime("proc"));
  corbel::pools pools(rt, options.settings());
  corbel::gateway_config config(rt, pools.redis(), options.load);
  pools.follow(config);
  const corbel::redis_monitor monitor(pools.redis());
  auto log = [&rt](const corbel::log_line &line) { rt.log(line); };
  corbel::turn_figures figures;
  auto bundles = corbel::host_bundles::open(
      rt, pools.redis(), options,
      [&figures](const std::string &bundle, const std::string &economics) { figures.economics(bundle, economics); });
  proc_worker w(ctx, rt, pools, options, bundles.get(), figures);
  const corbel::document_follower follower(config, options, ctx.get_executor(),
                                           [&w](const corbel::host_options &now) { w.set_concurrency(now.concurrency); });

  corbel::http_server *serving = nullptr;
  corbel::http_router routes;
  corbel::add_health_routes(routes, rt, [&](bool draining) {
    auto all = bundles ? bundles->loader().status() : std::vector<corbel::bundle_status>();
    if (bundles && !bundles->entries()()) all.emplace_back().id = "_internal";  // the registry was not read yet
    return corbel::proc_health(options.identity(), draining, all);
  });
  w.processor().add_route(routes, options.identity());
  corbel::add_metrics_route(routes, rt, [&](corbel::detail::metrics_writer &to) {
    write_metrics(to, serving->stats());
    figures.write_metrics(to);
  });
  const corbel::token_guard guard(rt, options.operations_token);
  if (bundles) bundles->add_routes(routes, guard);
  corbel::operations_routes::add(routes, guard,
                                 {.rt = rt,
                                  .queue = corbel::queue_inspector(pools.redis(), corbel::queue_of(options)),
                                  .pools = pools,
                                  .bundles = &figures,
                                  .drain = corbel::drain_host});
  corbel::http_server server(ctx.get_executor(), std::move(routes), {}, log);
  serving = &server;
  return corbel::run_host(ctx, rt, server, options,
                          {.work = [&](std::chrono::milliseconds timeout) { return w.drain(timeout); }});
}

}  // namespace

int main(int argc, char **argv) {
  const corbel::host_kind kind{
      .name = "proc",
      .description = "Works the queue by the handlers of bundles, or counts words, and publishes the result.",
      .port = 8020,
      .port_variable = "CHAT_PROCESSOR_PORT",
      .works_queue = true};
  return corbel::start_host(kind, argc, argv, serve);
}
