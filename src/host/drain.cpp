#include "host/drain.hpp"

#include "host/supervisor.hpp"
#include "http/saturation_report.hpp"
#include "operations/otlp_exporter.hpp"

#include <corbel/health.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>

namespace corbel {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using namespace asio::experimental::awaitable_operators;

namespace {

using clock_type = std::chrono::steady_clock;
constexpr auto as_value = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::milliseconds shutdown_time{5000};  // for what is still under way in the runtime
constexpr std::chrono::milliseconds quiet{1000};          // without a request, before the listener closes

struct host_run {
  asio::io_context &ctx;
  runtime &rt;
  http_server &server;
  const host_options &options;
  drain_steps steps;
  asio::signal_set signals{ctx, SIGTERM, SIGINT};
  clock_type::time_point end{};
  std::shared_ptr<otlp_exporter> exporter = {};
  int status = 1;

  void log(log_level level, std::string text, std::vector<log_field> fields = {}) const {
    rt.log({.level = level, .part = "host", .text = std::move(text), .fields = std::move(fields)});
  }

  std::chrono::milliseconds rest() const {
    return std::max(std::chrono::duration_cast<std::chrono::milliseconds>(end - clock_type::now()), 100ms);
  }

  void add_route() {
    auto handler = [this](const http_request &r) -> asio::awaitable<http_response> {
      const bool near = r.peer == "127.0.0.1" || r.peer == "::1" || r.peer == "::ffff:127.0.0.1";
      if (!near || !r.field("X-Forwarded-For").empty() || !r.field("Forwarded").empty())
        co_return http_refusal(403, "forbidden", "only this machine may drain the host");
      if (!health(rt).draining) drain_host();  // a second signal would end the process at once
      co_return http_response{.status = 202, .body = R"({"status": "draining"})"};
    };
    server.add_route("POST", "/drain", {.handler = std::move(handler), .while_draining = true, .probe = true});
  }

  void end_at_second_signal() {
    signals.async_wait([](const boost::system::error_code &ec, int number) {
      if (!ec) std::_Exit(128 + number);
    });
  }

  asio::awaitable<std::size_t> do_step(const finish_work &step) {
    if (!step) co_return 0;
    co_return co_await step(rest());
  }

  /// Serves on until nobody comes any more.
  asio::awaitable<void> serve_out() {
    asio::steady_timer timer(ctx, clock_type::now() + std::min(options.drain_notice, rest()));
    co_await timer.async_wait(as_value);
    server.turn_away();
    while (clock_type::now() < end && server.last_work() + quiet > clock_type::now()) {
      timer.expires_at(std::min(end, server.last_work() + quiet));
      co_await timer.async_wait(as_value);
    }
  }

  asio::awaitable<void> live() {
    auto [ec, number] = co_await signals.async_wait(as_value);
    log(log_level::info, fmt::format("draining after signal {}; a second one ends the process at once", number));
    end_at_second_signal();
    end = clock_type::now() + options.drain_timeout;
    set_draining(rt);
    auto work = co_await (do_step(steps.work) && serve_out());
    const auto cut = co_await server.stop(rest());
    const auto unwritten = co_await do_step(steps.flush);
    if (exporter) exporter->stop();
    if (steps.release) steps.release();
    auto ended = co_await rt.async_shutdown(shutdown_time, asio::use_awaitable);
    const bool left = work != 0 || cut != 0 || unwritten != 0;
    if (left || !ended)
      log(log_level::warning,
          fmt::format("drained, but something was left: messages in hand: {}, connections: {}, rows to write: {}{}{}", work,
                      cut, unwritten, ended ? "" : "; ", ended.error().message()));
    else
      log(log_level::info, "drained");
    status = left ? 1 : 0;
    signals.cancel();
  }
};

}  // namespace

int run_host(asio::io_context &ctx, runtime &rt, http_server &server, host_options &options, drain_steps steps) {
  host_run run{ctx, rt, server, options, std::move(steps)};
  run.add_route();
  watch_lag(rt);
  report_saturation(server, rt.core(), "http");
  if (!options.otlp_endpoint.empty())
    run.exporter = otlp_exporter::start(rt, {.endpoint = options.otlp_endpoint,
                                             .ca = options.otlp_ca,
                                             .every = options.otlp_every,
                                             .tenant = options.settings().tenant,
                                             .project = options.settings().project});
  auto port = server.listen(options.address, options.port, options.workers > 1);
  if (!port) {
    run.log(log_level::error, port.error().message());
    std::fprintf(stderr, "%s\n", port.error().message().c_str());
    return 1;
  }
  options.port = *port;
  run.log(log_level::info, fmt::format("listening on {} port {}", options.address, *port),
          {{"port", std::to_string(*port)}});
  asio::co_spawn(ctx, run.live(), asio::detached);
  ctx.run();
  return run.status;
}

}  // namespace corbel
